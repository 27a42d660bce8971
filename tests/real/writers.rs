//! Running instances of the registry, each with its share of the crates.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use crate::rows::Written;

/// As many processes as there are shares.
const SHARES: usize = 4;

/// What the instances of a run found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Statements that failed.
    pub failed: u64,
    /// Reads that differed from the last acknowledged write.
    pub wrong_reads: u64,
    /// The slowest operation in milliseconds.
    pub slowest: u64,
    /// All operations.
    pub operations: u64,
    /// The last acknowledged digest of every version that was written.
    pub written: Written,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} operations, {} failed, {} wrong reads, the slowest took {} ms",
            self.operations, self.failed, self.wrong_reads, self.slowest
        )
    }
}

/// One instance per share.
pub(crate) struct Fleet {
    instances: Vec<Instance>,
    found: Found,
    seed: usize,
}

struct Instance {
    process: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Fleet {
    pub(crate) fn start(program: &Path, url: &str) -> Self {
        let instances = (0..SHARES)
            .map(|share| Instance::start(program, url, share, share))
            .collect();
        Self {
            instances,
            found: Found::default(),
            seed: SHARES,
        }
    }

    /// Waits until every instance has done two more rounds: one of them began after this call.
    pub(crate) fn serve(&self, during: &str) {
        let began = Instant::now();
        for instance in &self.instances {
            instance.lines.try_iter().for_each(drop);
        }
        for instance in &self.instances {
            instance.wait_for_round();
            instance.wait_for_round();
        }
        println!(
            "… {during}: writers served for {} ms",
            began.elapsed().as_millis()
        );
    }

    /// A rolling deploy: one instance after the other is replaced, the others go on.
    pub(crate) fn roll_out(&mut self, program: &Path, url: &str) {
        for share in 0..SHARES {
            self.seed += 1;
            let next = self.instances.remove(share);
            next.stop(&mut self.found);
            self.instances
                .insert(share, Instance::start(program, url, share, self.seed));
        }
    }

    pub(crate) fn stop(mut self) -> Found {
        for instance in self.instances.drain(..) {
            instance.stop(&mut self.found);
        }
        self.found
    }
}

impl Instance {
    fn start(program: &Path, url: &str, share: usize, seed: usize) -> Self {
        let mut process = Command::new(program)
            .args([
                url,
                &share.to_string(),
                &SHARES.to_string(),
                &seed.to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the registry was built");
        let input = process.stdin.take().expect("stdin is piped");
        let output = process.stdout.take().expect("stdout is piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.for_each(|line| drop(sender.send(line)));
        });
        let instance = Self {
            process,
            input,
            lines,
        };
        instance.wait_for_round();
        instance
    }

    fn wait_for_round(&self) {
        let line = self.lines.recv().expect("the registry goes on");
        assert!(line.starts_with("round "), "the registry ended: {line}");
    }

    /// Asks the instance to end and reads what it found.
    fn stop(self, found: &mut Found) {
        let Self {
            mut process,
            input,
            lines,
        } = self;
        drop(input);
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["round", _] => {}
                ["operations", count] => found.operations += number(count),
                ["failed", count] => found.failed += number(count),
                ["wrong_reads", count] => found.wrong_reads += number(count),
                ["slowest", milliseconds] => {
                    found.slowest = found.slowest.max(number(milliseconds));
                }
                ["version", id, "-"] => drop(found.written.insert(id.parse().unwrap(), None)),
                ["version", id, digest] => {
                    found
                        .written
                        .insert(id.parse().unwrap(), Some((*digest).to_owned()));
                }
                _ => panic!("the registry said `{line}`"),
            }
        }
        let status = process.wait().unwrap();
        assert!(status.success(), "the registry ended with {status}");
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("the registry prints numbers")
}
