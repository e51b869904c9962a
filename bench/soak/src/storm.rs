//! What is done to the server while clients ask: killed, told to stop, killed while it stops or starts, left without room. Must stay true:
//! each ends with a server that is ready; one that does not get ready, or does not end as it should, is a finding.

use std::time::{Duration, Instant};

use flin_testkit::rng::Rng;

use crate::ground::Ground;
use crate::process::{Plan, Process};
use crate::world::{Group, World};

/// The server through all its lives.
pub struct Storm<'w> {
    world: &'w World,
    plan: Plan,
    rng: Rng,
    life: u64,
    server: Option<Process>,
}

impl<'w> Storm<'w> {
    /// No server yet.
    pub fn new(world: &'w World, plan: Plan) -> Storm<'w> {
        Storm {
            world,
            plan,
            rng: Rng::new(world.seed ^ 0x5707),
            life: 0,
            server: None,
        }
    }

    /// The server of now.
    pub fn server(&mut self) -> Option<&mut Process> {
        self.server.as_mut()
    }

    /// Starts a server and tells everybody where it is.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start(&mut self) -> Result<(), String> {
        let mut server = Process::start(&self.plan)?;
        let host = server.ready()?;
        self.life += 1;
        self.server = Some(server);
        self.world.moved(Some((self.life, host)));
        Ok(())
    }

    fn take(&mut self) -> Result<Process, String> {
        self.world.moved(None);
        self.server
            .take()
            .ok_or_else(|| "there is no server".to_owned())
    }

    fn wait(&mut self, most_ms: usize) {
        std::thread::sleep(Duration::from_millis(self.rng.below(most_ms) as u64));
    }

    /// Does one thing after the other until the time is over.
    ///
    /// # Errors
    /// When the server does not come back.
    pub fn blow(&mut self, ground: &Ground, until: Instant) -> Result<(), String> {
        while Instant::now() < until && !self.world.is_over() {
            self.wait(2500);
            if let Some(status) = self.server.as_mut().and_then(Process::is_gone) {
                return Err(format!("the server ended by itself: {status}"));
            }
            let kinds = if ground.can_be_filled() { 8 } else { 7 };
            match self.rng.below(kinds) {
                0..=2 => self.kill()?,
                3 | 4 => self.stop()?,
                5 => self.kill_while_it_stops()?,
                6 => self.kill_while_it_starts()?,
                _ => self.fill(ground)?,
            }
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<(), String> {
        self.world.count(Group::Faults, "kill -9");
        self.take()?.kill();
        self.start()
    }

    /// Tells it to stop; it must end in order.
    ///
    /// # Errors
    /// When it does not.
    pub fn stop_in_order(&mut self) -> Result<(), String> {
        let mut server = self.take()?;
        server.terminate()?;
        let status = server.ended()?;
        if !status.success() {
            self.world
                .wrong(format!("told to stop, the server ended with {status}"));
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<(), String> {
        self.world.count(Group::Faults, "SIGTERM");
        self.stop_in_order()?;
        self.start()
    }

    fn kill_while_it_stops(&mut self) -> Result<(), String> {
        self.world.count(Group::Faults, "kill -9 while stopping");
        let server = self.take()?;
        server.terminate()?;
        self.wait(40);
        server.kill();
        self.start()
    }

    fn kill_while_it_starts(&mut self) -> Result<(), String> {
        self.world.count(Group::Faults, "kill -9 while starting");
        self.take()?.kill();
        for _ in 0..1 + self.rng.below(3) {
            let server = Process::start(&self.plan)?;
            self.wait(60);
            server.kill();
        }
        self.start()
    }

    fn fill(&mut self, ground: &Ground) -> Result<(), String> {
        self.world.count(Group::Faults, "disk full");
        ground.fill()?;
        self.wait(2000);
        // Sometimes it must also start without room, as far as that goes; what it cannot, it must say.
        if self.rng.one_in(2) {
            self.take()?.kill();
            let mut server = Process::start(&self.plan)?;
            match server.ready() {
                Ok(host) => {
                    self.life += 1;
                    self.world.moved(Some((self.life, host)));
                    self.server = Some(server);
                    self.wait(1000);
                    ground.clear()?;
                }
                Err(_) => {
                    server.kill();
                    ground.clear()?;
                    self.start()?;
                }
            }
            return Ok(());
        }
        ground.clear()
    }
}
