//! All files, on all cores: first every file is parsed, then, when all names are known, every model is read.
//!
//! Comes in: the targets' root files. Goes out: [`Findings`].
//! Must not know: what makes a schema.
//!
//! A syntax tree belongs to the thread that parsed it, so each worker keeps its own trees from the first round to the
//! second.

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::sync::{Barrier, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use camino::Utf8PathBuf;

use super::diagnostics::Diagnostic;
use super::enums::Found;
use super::models::{self, Declaration};
use super::scan::{self, Candidate, Context, Module, Pending, Project};
use super::scope::Scope;
use super::workspace::Workspace;
use super::{SourceError, SourceOptions};

/// More threads than that wait for each other more than they read.
const MOST_WORKERS: usize = 8;

/// What all files hold.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) declarations: Vec<Declaration>,
    pub(super) enums: Vec<Found>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The targets that declare the generated code as a module.
    pub(super) with_code: HashSet<usize>,
    modules: Vec<(usize, Module)>,
    unreadable: Option<SourceError>,
}

/// Reads every file that the targets lead to.
pub(super) fn read(
    workspace: &Workspace,
    options: &SourceOptions,
) -> Result<Findings, SourceError> {
    let code = options
        .code
        .as_deref()
        .and_then(|code| std::path::absolute(code).ok())
        .and_then(|code| Utf8PathBuf::from_path_buf(code).ok());
    let queue = Queue::new(roots(workspace));
    let workers = std::thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_WORKERS);
    let round = Round {
        project: Project {
            root: &workspace.root,
            code: code.as_deref(),
            options,
        },
        queue: &queue,
        findings: Mutex::default(),
        all_parsed: Barrier::new(workers),
        scope: OnceLock::new(),
        libraries: libraries(workspace),
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| round.work());
        }
    });
    let mut findings = round
        .findings
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    match findings.unreadable.take() {
        Some(error) => Err(error),
        None => Ok(findings),
    }
}

fn roots(workspace: &Workspace) -> Vec<Pending> {
    let targets = workspace.targets.iter().enumerate();
    targets
        .map(|(target, found)| Pending {
            target,
            file: found.root_file.clone(),
            owns_folder: true,
            context: Context::default(),
        })
        .collect()
}

fn libraries(workspace: &Workspace) -> HashMap<String, usize> {
    let targets = workspace.targets.iter().enumerate();
    targets
        .filter_map(|(target, found)| Some((found.library.clone()?, target)))
        .collect()
}

struct Round<'a> {
    project: Project<'a>,
    queue: &'a Queue,
    findings: Mutex<Findings>,
    all_parsed: Barrier,
    scope: OnceLock<Scope>,
    libraries: HashMap<String, usize>,
}

impl Round<'_> {
    fn work(&self) {
        let candidates = self.parse();
        self.all_parsed.wait();
        let scope = self.scope.get_or_init(|| {
            let modules = std::mem::take(&mut lock(&self.findings).modules);
            Scope::new(modules, self.libraries.clone())
        });
        let mut mine = Findings::default();
        for candidate in candidates {
            match models::read(candidate, scope) {
                Ok(declaration) => mine.declarations.push(declaration),
                Err(diagnostics) => mine.diagnostics.extend(diagnostics),
            }
        }
        self.add(mine);
    }

    fn parse(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let mut mine = Findings::default();
        while let Some(pending) = self.queue.take() {
            match scan::file(&pending, self.project) {
                Ok(scan) => {
                    candidates.extend(scan.candidates);
                    mine.enums.extend(scan.enums);
                    mine.diagnostics.extend(scan.diagnostics);
                    mine.with_code
                        .extend(scan.declares_code.then_some(pending.target));
                    let modules = scan.modules.into_iter();
                    mine.modules
                        .extend(modules.map(|module| (pending.target, module)));
                    self.queue.done(scan.pending);
                }
                Err(error) => {
                    mine.unreadable.get_or_insert(error);
                    self.queue.done(Vec::new());
                }
            }
        }
        self.add(mine);
        candidates
    }

    fn add(&self, mine: Findings) {
        let mut all = lock(&self.findings);
        all.declarations.extend(mine.declarations);
        all.enums.extend(mine.enums);
        all.diagnostics.extend(mine.diagnostics);
        all.modules.extend(mine.modules);
        all.with_code.extend(mine.with_code);
        all.unreadable = all.unreadable.take().or(mine.unreadable);
    }
}

/// Files that wait, and how many are being read: those may lead to more.
struct Queue {
    state: Mutex<(Vec<Pending>, usize)>,
    changed: Condvar,
}

impl Queue {
    fn new(pending: Vec<Pending>) -> Self {
        Self {
            state: Mutex::new((pending, 0)),
            changed: Condvar::new(),
        }
    }

    /// The next file; `None` when all are read.
    fn take(&self) -> Option<Pending> {
        let mut state = lock(&self.state);
        loop {
            if let Some(pending) = state.0.pop() {
                state.1 += 1;
                return Some(pending);
            }
            if state.1 == 0 {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A file is read and led to others.
    fn done(&self, pending: Vec<Pending>) {
        let mut state = lock(&self.state);
        state.0.extend(pending);
        state.1 -= 1;
        drop(state);
        self.changed.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
