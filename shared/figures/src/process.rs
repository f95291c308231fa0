//! What the kernel says about a process: memory and processor time, from `/proc`.

use std::{io, time::Duration};

/// The unit of processor time in `/proc/<pid>/stat`: `USER_HZ` is 100 on every Linux (`man 5 proc`).
const TICK: Duration = Duration::from_millis(10);

/// A process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Memory now, in KiB.
    pub rss: u64,
    /// The most memory so far, in KiB.
    pub peak: u64,
    /// Processor time so far, its own and the kernel's for it.
    pub cpu: Duration,
}

/// Looks at a process.
pub(crate) fn usage(pid: u32) -> io::Result<Usage> {
    let read = |name: &str| {
        let path = format!("/proc/{pid}/{name}");
        std::fs::read_to_string(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("{path} (Linux only): {error}")))
    };
    let (status, stat) = (read("status")?, read("stat")?);
    let parsed = || {
        Some(Usage {
            rss: kilobytes(&status, "VmRSS:")?,
            peak: kilobytes(&status, "VmHWM:")?,
            cpu: cpu(&stat)?,
        })
    };
    parsed().ok_or_else(|| io::Error::other(format!("/proc/{pid} is not as proc(5) says")))
}

/// Processes that ran or wanted to, on average over the last minute; empty where nobody counts.
pub(crate) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Fields 14 and 15, counted behind the name in brackets, which may hold spaces and brackets.
fn cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let own: u32 = fields.next()?.parse().ok()?;
    let kernel: u32 = fields.next()?.parse().ok()?;
    Some(TICK * own.checked_add(kernel)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_its_manual_says() {
        let status = "Name:\tingress\nVmHWM:\t   31234 kB\nVmRSS:\t   20000 kB\n";
        assert_eq!(kilobytes(status, "VmHWM:"), Some(31_234));
        assert_eq!(kilobytes(status, "VmRSS:"), Some(20_000));
        assert_eq!(kilobytes(status, "VmSwap:"), None);
        let stat = "77 (a) b (c) S 1 77 77 0 -1 4194304 900 0 3 0 250 50 0 0 20 0 9 0 1 2 3";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu("77 (a"), None);
    }
}
