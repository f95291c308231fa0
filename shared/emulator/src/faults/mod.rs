//! Faults on command: which request is struck, and how. The striking itself is in `strike.rs`.

mod control;
mod order;
mod strike;

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    control::router as control,
    order::{Limit, Strike},
    strike::strike,
};
pub use self::{
    order::{Fault, FaultError, Kind},
    strike::Cut,
};

/// The systems that can be struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// The Bitrix24 portal; methods are those of REST (`sale.order.update`).
    Bitrix,
    /// The site module; its method is `/parom/status`.
    Site,
    /// CloudKassir; methods are paths (`/kkt/receipt`).
    CloudKassir,
    /// The 1C base; methods are paths (`/v1/operations`).
    OneC,
    /// ATOL Online; methods are paths (`/v5/group/sell`).
    Atol,
    /// OrangeData; methods are paths (`/api/v2/documents/`).
    OrangeData,
    /// The contract of the customer's brief; methods are paths (`/receipts`).
    CloudKassirV1,
    /// GIS MT; methods are paths after `true-api` (`/lk/documents/create`, `/doc/info`).
    Gismt,
    /// A UTM; methods are `/opt/in` (also with a document's type), `/opt/out` and what else comes after the id.
    Utm,
    /// Diadoc and its provider of tokens; methods are paths (`/V3/PostMessage`, `/connect/token`).
    Diadoc,
}

impl System {
    /// The system and its method at a path of the emulator.
    pub(crate) fn at(path: &str) -> Option<(Self, &str)> {
        let systems = [
            (Self::Bitrix, "/bitrix/rest"),
            (Self::Site, "/site"),
            (Self::CloudKassirV1, "/cloudkassir-v1"),
            (Self::CloudKassir, "/cloudkassir"),
            (Self::OneC, "/1c/hs/parom"),
            (Self::Atol, "/atol"),
            (Self::OrangeData, "/orangedata"),
            (Self::Gismt, "/gismt"),
            (Self::Utm, "/utm"),
            (Self::Diadoc, "/diadoc-identity"),
            (Self::Diadoc, "/diadoc"),
        ];
        systems.into_iter().find_map(|(system, prefix)| {
            path.strip_prefix(prefix).map(|path| (system, system.method(path)))
        })
    }

    /// The method at a path below the system's own.
    pub(crate) fn method(self, path: &str) -> &str {
        match self {
            Self::Site
            | Self::CloudKassir
            | Self::Atol
            | Self::OrangeData
            | Self::CloudKassirV1
            | Self::Diadoc
            | Self::OneC => path,
            Self::Gismt => {
                let path = path.split_once("/true-api").map_or(path, |(_, path)| path);
                let about_one = path.starts_with("/doc/") && path.ends_with("/info");
                if about_one { "/doc/info" } else { path }
            }
            Self::Utm => {
                // /<FSRAR_ID>/opt/out/Ticket/7 is about /opt/out/Ticket.
                let path = path.trim_start_matches('/');
                let path = path.find('/').and_then(|at| path.get(at..)).unwrap_or_default();
                let end = path.char_indices().filter(|(_, letter)| *letter == '/').nth(3);
                end.and_then(|(end, _)| path.get(..end)).unwrap_or(path)
            }
            Self::Bitrix => {
                let last = path.rsplit('/').next().unwrap_or_default();
                last.strip_suffix(".json").unwrap_or(last)
            }
        }
    }
}

/// What a struck request carries to its handler.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    /// How often what it sends out goes out.
    pub(crate) copies: u32,
    /// What it creates is bound to fail later.
    pub(crate) fails_later: bool,
    /// What it creates is bound to run out of time.
    pub(crate) expires: bool,
}

impl Default for Drawn {
    fn default() -> Self {
        Self { copies: 1, fails_later: false, expires: false }
    }
}

/// The moment at which a fault may strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A request has come, nothing has been read of it.
    Unread,
    /// A request has been read.
    Read,
    /// A command within a Bitrix batch.
    Nested,
}

/// A fault and what it has done so far, as `GET /_faults` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    /// Its number, counting from 1 since the last clearing.
    pub id: usize,
    /// As it was ordered.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests it might have struck.
    pub seen: u64,
    /// Requests it struck.
    pub struck: u64,
}

/// All faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    list: Mutex<Vec<InForce>>,
    active: AtomicUsize,
}

#[derive(Debug)]
struct InForce {
    standing: Standing,
    strike: Strike,
    dice: StdRng,
}

impl Faults {
    /// Puts a fault in force and answers its number.
    ///
    /// # Errors
    /// If the fault makes no sense for the system, or something it needs is missing.
    pub fn add(&self, fault: Fault) -> Result<usize, FaultError> {
        let strike = fault.strike()?;
        let mut list = self.list();
        let id = list.len() + 1;
        let dice = StdRng::seed_from_u64(fault.seed);
        list.push(InForce { standing: Standing { id, fault, seen: 0, struck: 0 }, strike, dice });
        self.count(&list);
        Ok(id)
    }

    /// All faults and what they have done.
    pub fn standing(&self) -> Vec<Standing> {
        self.list().iter().map(|fault| fault.standing.clone()).collect()
    }

    /// Ends all faults.
    pub fn clear(&self) {
        let mut list = self.list();
        list.clear();
        self.count(&list);
    }

    /// The strike for this request, if any. The first fault that fits and whose dice fall wins.
    pub(crate) fn draw(&self, system: System, method: &str, moment: Moment) -> Option<Strike> {
        if self.active.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut list = self.list();
        let strike = list
            .iter_mut()
            .find_map(|fault| fault.fits(system, method, moment).then(|| fault.roll()).flatten());
        self.count(&list);
        strike
    }

    /// Whether any fault might strike a request before it is read.
    pub(crate) fn refuses(&self) -> bool {
        self.active.load(Ordering::Acquire) > 0
            && self.list().iter().any(|fault| fault.strikes_unread() && !fault.spent())
    }

    fn count(&self, list: &[InForce]) {
        let active = list.iter().filter(|fault| !fault.spent()).count();
        self.active.store(active, Ordering::Release);
    }

    fn list(&self) -> MutexGuard<'_, Vec<InForce>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InForce {
    fn spent(&self) -> bool {
        self.standing.fault.times.is_some_and(|times| self.standing.struck >= times)
    }

    fn strikes_unread(&self) -> bool {
        matches!(self.strike, Strike::Refuse)
    }

    fn fits(&self, system: System, method: &str, moment: Moment) -> bool {
        let fault = &self.standing.fault;
        let in_time = match moment {
            Moment::Unread => self.strikes_unread(),
            Moment::Read => !self.strikes_unread(),
            Moment::Nested => matches!(self.strike, Strike::Refusal { .. } | Strike::Limit(_)),
        };
        let plain = |method: &str| method.trim_start_matches('/').to_owned();
        let same = |wanted: &String| plain(wanted) == plain(method);
        in_time && !self.spent() && fault.system == system && fault.method.as_ref().is_none_or(same)
    }

    fn roll(&mut self) -> Option<Strike> {
        self.standing.seen += 1;
        let due = self.standing.seen > self.standing.fault.after;
        let falls = match self.standing.fault.probability {
            Some(probability) if due => self.dice.random_bool(probability),
            _ => due,
        };
        falls.then(|| {
            self.standing.struck += 1;
            self.strike.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(faults: &Faults, method: &str) -> bool {
        faults.draw(System::CloudKassir, method, Moment::Read).is_some()
    }

    #[test]
    fn strikes_so_often_after_so_many_and_only_its_method() {
        let faults = Faults::default();
        let fault =
            Fault::new(System::CloudKassir, Kind::Hang).on("/kkt/receipt").after(1).times(2);
        faults.add(fault).unwrap();
        assert!(!struck(&faults, "/test"));
        let drawn: Vec<bool> = (0..5).map(|_| struck(&faults, "/kkt/receipt")).collect();
        assert_eq!(drawn, [false, true, true, false, false]);
        assert_eq!(faults.standing()[0].struck, 2);
    }

    #[test]
    fn dice_fall_the_same_way_for_the_same_seed() {
        let run = |seed| {
            let faults = Faults::default();
            faults.add(Fault::new(System::CloudKassir, Kind::Reset).chance(0.3, seed)).unwrap();
            (0..200).map(|_| struck(&faults, "/test")).collect::<Vec<bool>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).iter().filter(|hit| **hit).count();
        assert!((30..90).contains(&hits), "{hits} of 200");
    }

    #[test]
    fn a_path_names_its_system_and_method() {
        let at = System::at;
        assert_eq!(at("/cloudkassir/kkt/receipt"), Some((System::CloudKassir, "/kkt/receipt")));
        assert_eq!(at("/bitrix/rest/1/code/batch.json"), Some((System::Bitrix, "batch")));
        assert_eq!(at("/site/parom/status"), Some((System::Site, "/parom/status")));
        let info = "/gismt/api/v4/true-api/doc/5b3ac2f1/info";
        assert_eq!(at(info), Some((System::Gismt, "/doc/info")));
        let ticket = "/utm/030000999999/opt/out/Ticket/7758";
        assert_eq!(at(ticket), Some((System::Utm, "/opt/out/Ticket")));
        assert_eq!(at("/utm/030000999999/opt/out"), Some((System::Utm, "/opt/out")));
        assert_eq!(at("/diadoc/V3/PostMessage"), Some((System::Diadoc, "/V3/PostMessage")));
        assert_eq!(at("/_faults"), None);
    }
}
