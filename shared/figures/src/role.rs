//! This program in other roles: each is a process of its own, so that the kernel counts its memory
//! and its processor time apart from ours.

use std::{
    io,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use crate::{Fallible, bare, prompt::Prompt, wait};

/// The environment variable that gives a process its role.
const VARIABLE: &str = "BENCH_ROLE";

/// Who a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A worker of the runtime whose register answers at once.
    Prompt,
    /// The least that takes webhooks.
    BareDoor,
    /// The least that carries events.
    BareCarrier,
}

impl Role {
    const ALL: [Self; 3] = [Self::Prompt, Self::BareDoor, Self::BareCarrier];

    /// The role of this process; `None` for the one that measures.
    pub(crate) fn of_this_process() -> Option<Self> {
        let name = std::env::var(VARIABLE).ok()?;
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Does what the role asks for, until it is told to stop.
    pub(crate) fn play(self) -> ExitCode {
        match self {
            Self::Prompt => runtime::run::<Prompt>(),
            Self::BareDoor => bare::run(bare::door::serve()),
            Self::BareCarrier => bare::run(bare::carrier::carry()),
        }
    }

    /// Starts a process in this role with these settings.
    pub(crate) fn start(self, settings: &[(&str, &str)]) -> io::Result<Process> {
        let mut settings = settings.to_vec();
        settings.push((VARIABLE, self.name()));
        Process::start(&std::env::current_exe()?, &settings)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::BareDoor => "bare-door",
            Self::BareCarrier => "bare-carrier",
        }
    }
}

/// A process of ours. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program that sees only these variables.
    pub(crate) fn start(program: &Path, settings: &[(&str, &str)]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.env_clear().envs(settings.iter().copied()).stdin(Stdio::null());
        command.spawn().map(Self)
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended; that is never as it should be while something is measured.
    pub(crate) fn check(&mut self) -> Fallible<()> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("a process that is measured ended: {status}").into()),
        }
    }

    /// Asks it to finish what it has in hand, and waits for its end.
    pub(crate) async fn stop(mut self) -> Fallible<()> {
        Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        let mut ended = false;
        while !ended {
            wait::pause(Duration::from_millis(10)).await;
            ended = self.0.try_wait()?.is_some();
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
