//! Rounds of `kill -9`: after a kill of any process at any time, the next command repairs the project and touches nothing
//! foreign.

mod decoys;
mod engine;
mod processes;
mod project;
mod random;

use std::time::{Duration, Instant};

use camino::Utf8Path;

use self::decoys::Decoys;
use self::processes::Process;
use self::project::{Project, ended};
use self::random::Random;
use crate::{Failure, interrupt, say};

/// A command, and the longest time of its undisturbed run in milliseconds, as processes and as containers: the kills fall
/// within that time.
const COMMANDS: [(&str, u64, u64); 5] =
    [("up", 400, 2500), ("test", 1200, 5000), ("down", 300, 1500), ("reset", 60, 400), ("status", 40, 200)];
/// Commands that repair the project after the kills.
const REPAIRS: [&str; 3] = ["up", "down", "test"];
/// Time for the processes of a killed command to end by themselves.
const SETTLE: Duration = Duration::from_secs(10);
/// The exit code of a Rust program that panicked.
const PANIC: i32 = 101;

/// A target of a kill.
#[derive(Debug, Clone)]
enum Victim {
    Command,
    Process(Process),
    Container(String),
}

struct Soak {
    project: Project,
    decoys: Decoys,
    runtime: String,
}

/// Runs the rounds. The seed grows by one per round: `--seed N --rounds 1` repeats a round.
pub(crate) fn run(program: &Utf8Path, runtime: &str, rounds: usize, seed: Option<u64>) -> Result<(), Failure> {
    let seed = seed.unwrap_or_else(Random::seed);
    say(&format!("soak: {rounds} rounds, runtime {runtime}, seed {seed}"));
    let project = Project::new(program, runtime)?;
    let decoys = Decoys::new(&project, runtime)?;
    let mut soak = Soak { project, decoys, runtime: runtime.to_owned() };
    let began = Instant::now();
    for (round, seed) in (1..=rounds).zip(seed..) {
        let story = soak.round(Random::new(seed)).map_err(|error| format!("round {round}, seed {seed}: {error}"))?;
        say(&format!("round {round} of {rounds}, seed {seed}: {story}"));
    }
    soak.project.done("down")?;
    soak.nothing_is_left()?;
    soak.decoys.check()?;
    let each = began.elapsed().as_secs_f64() / f64::from(u32::try_from(rounds.max(1))?);
    say(&format!("{rounds} passed, 0 failed, {each:.1} s each"));
    Ok(())
}

impl Soak {
    /// Runs one round, and returns its description.
    fn round(&mut self, mut random: Random) -> Result<String, Failure> {
        let (command, processes, containers) = *random.one_of(&COMMANDS);
        let within = if self.runtime == "docker" { containers } else { processes };
        let is_up = !matches!(command, "up" | "test") || random.coin();
        if is_up {
            self.project.done("up")?;
        }
        let mut child = self.project.start(command)?;
        let mut killed = Vec::new();
        let mut is_command_killed = false;
        for _ in 0..=random.below(2) {
            let pause = random.below(within);
            std::thread::sleep(Duration::from_millis(pause));
            let is_command_there = child.try_wait()?.is_none();
            for victim in self.victims(is_command_there, &mut random) {
                match &victim {
                    Victim::Command => {
                        is_command_killed = true;
                        let _ = child.kill();
                        killed.push(format!("the command after {pause} ms"));
                    }
                    Victim::Process(process) => {
                        processes::kill(process, &self.project);
                        killed.push(format!("{} after {pause} ms", process.name));
                    }
                    Victim::Container(name) => {
                        // As a crash does, or as a person does.
                        let how: &[&str] = if random.coin() { &["kill"] } else { &["rm", "--force"] };
                        let _ = engine::docker(&[how, &[name]].concat());
                        killed.push(format!("{name} ({}) after {pause} ms", how[0]));
                    }
                }
            }
        }
        let status = ended(&mut child)?;
        if !is_command_killed && status.code() == Some(PANIC) {
            return Err(format!("devenv {command} panicked; killed: {}", killed.join(", ")).into());
        }
        let repair = *random.one_of(&REPAIRS);
        let killed = if killed.is_empty() { "nothing, the command ended first".to_owned() } else { killed.join(", ") };
        let story = format!("{command}, killed {killed}; then {repair}");
        self.repaired(repair).map_err(|error| format!("{story}: {error}"))?;
        Ok(story)
    }

    /// Chooses at least one of the possible victims, none of them twice.
    fn victims(&self, is_command_there: bool, random: &mut Random) -> Vec<Victim> {
        let mut all = if is_command_there { vec![Victim::Command] } else { Vec::new() };
        all.extend(processes::of(&self.project, &self.decoys.pids()).into_iter().map(Victim::Process));
        if self.runtime == "docker" {
            all.extend(engine::containers(&self.project).into_iter().map(Victim::Container));
        }
        let sure = random.below(all.len().max(1) as u64);
        let chosen = (0..).zip(all).filter(|(index, _)| *index == sure || random.below(4) == 0);
        chosen.map(|(_, victim)| victim).collect()
    }

    fn repaired(&mut self, repair: &str) -> Result<(), Failure> {
        self.project.done(repair)?;
        match repair {
            "up" => {
                let units = self.project.units()?;
                if units.is_empty() || units.iter().any(|(_, state)| state != "ready") {
                    return Err(format!("not every unit is ready after {repair}: {units:?}").into());
                }
            }
            "down" => self.nothing_is_left()?,
            _ => {}
        }
        let tests = self.project.state().join("test");
        let folders = tests.read_dir_utf8().into_iter().flatten().count();
        if folders > 0 {
            return Err(format!("{folders} folders of test runs are left").into());
        }
        self.decoys.check()
    }

    fn nothing_is_left(&self) -> Result<(), Failure> {
        let end = Instant::now() + SETTLE;
        loop {
            interrupt::check()?;
            let found = processes::of(&self.project, &self.decoys.pids());
            if found.is_empty() {
                break;
            }
            if Instant::now() > end {
                return Err(format!("processes are left: {found:?}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if self.project.state().join("control.sock").symlink_metadata().is_ok() {
            return Err("a socket is left".into());
        }
        let things = if self.runtime == "docker" { engine::things(&self.project)? } else { Vec::new() };
        if things.is_empty() { Ok(()) } else { Err(format!("left in the engine: {things:?}").into()) }
    }
}
