//! One environment as a promotion meets it: its project and target, its cloud and ledger, and who calls.

use camino::Utf8PathBuf;
use devenv_ledger::Ledger;
use devenv_model::event::Event;
use devenv_model::evidence::NO_EMULATOR;
use devenv_model::manifest::{PromotePlace, PromoteTarget};
use devenv_runtime::{Emitter, Project};
use devenv_supervisor::lock::{self, HeldLock, LockAttempt};

use crate::account::{account_file, agree, owner};
use crate::cloud::{Caller, Cloud, CloudAddress};
use crate::emulated_endpoint::EmulatedAws;
use crate::error::Error;
use crate::tools::PromotionTools;
use crate::{emulated_aws, place, private};

#[derive(Debug)]
pub(crate) struct PromotionContext<'a> {
    pub(crate) project: &'a Project,
    pub(crate) tools: &'a PromotionTools,
    pub(crate) target: &'a PromoteTarget,
    pub(crate) cloud: Cloud,
    pub(crate) ledger: Ledger,
    pub(crate) emitter: &'a Emitter,
    /// `user@host`.
    pub(crate) owner: String,
    /// `None` in AWS.
    pub(crate) emulated: Option<EmulatedAws>,
    pub(crate) folder: Utf8PathBuf,
    pub(crate) region: String,
    /// Keeps other runs out of this folder; `None` for a read-only command.
    held: Option<HeldFolder>,
}

/// This folder's own lock, for one run at a time.
#[derive(Debug)]
struct HeldFolder {
    /// The folder's random name.
    name: String,
    _lock: HeldLock,
}

impl<'a> PromotionContext<'a> {
    /// Takes this folder's own lock and changes nothing in AWS. Starts a rehearsal's emulated AWS unless it runs.
    pub(crate) async fn open(
        project: &'a Project,
        tools: &'a PromotionTools,
        target: &'a PromoteTarget,
        emitter: &'a Emitter,
    ) -> Result<Self, Error> {
        Self::new(project, tools, target, emitter, true).await
    }

    /// A read-only context, which may exist beside a promotion.
    pub(crate) async fn read(
        project: &'a Project,
        tools: &'a PromotionTools,
        target: &'a PromoteTarget,
        emitter: &'a Emitter,
    ) -> Result<Self, Error> {
        Self::new(project, tools, target, emitter, false).await
    }

    async fn new(
        project: &'a Project,
        tools: &'a PromotionTools,
        target: &'a PromoteTarget,
        emitter: &'a Emitter,
        locks: bool,
    ) -> Result<Self, Error> {
        project.state.prepare()?;
        let folder = project.state.promotion(&target.name);
        let state = |source| devenv_runtime::Error::State { path: folder.clone(), source };
        // Terraform's plans and inputs have the variables of services.
        private::folder(&folder).map_err(state)?;
        let held = if locks {
            let path = folder.join("lock");
            match lock::try_hold(&path).map_err(state)? {
                LockAttempt::Held(lock) => {
                    Some(HeldFolder { name: place::of(&folder, &path).map_err(state)?, _lock: lock })
                }
                LockAttempt::Taken { pid } => return Err(devenv_runtime::Error::Locked { pid }.into()),
            }
        } else {
            None
        };
        let account = account_file(project, target)?;
        let mut emulated = None;
        let address = match &target.place {
            PromotePlace::Account { account: id, region } => {
                agree(project, target, &account, id, region)?;
                CloudAddress::Account { region: region.clone() }
            }
            PromotePlace::Rehearsal { image } => {
                let aws = emulated_aws::ensure(project, tools.engines.as_ref(), target, image, emitter).await?;
                emulated.insert(aws).clone().address()
            }
        };
        let cloud = tools.clouds.connect(&address).await;
        let ledger = Ledger {
            objects: cloud.objects.clone(),
            bucket: account.bucket,
            environment: target.name.clone(),
            clock: tools.clock.clone(),
        };
        Ok(Self {
            project,
            tools,
            target,
            cloud,
            ledger,
            emitter,
            owner: owner(),
            emulated,
            folder,
            region: account.region,
            held,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.target.name
    }

    /// The emulators on which the tests must have passed; a project without AWS runs on none.
    pub(crate) fn emulators(&self) -> Vec<&'static str> {
        if self.project.manifest.uses_aws {
            self.target.emulators.iter().map(|kind| kind.name()).collect()
        } else {
            vec![NO_EMULATOR]
        }
    }

    /// The folder's random name; empty for a read-only command.
    pub(crate) fn place(&self) -> &str {
        self.held.as_ref().map_or("", |held| &held.name)
    }

    /// The caller. An error unless account and region are the target's: a change in the wrong account is the worst mistake.
    pub(crate) async fn caller(&self) -> Result<Caller, Error> {
        let caller = self.cloud.identity.caller().await?;
        if let PromotePlace::Account { account, region } = &self.target.place {
            let environment = self.target.name.clone();
            if caller.account != *account {
                let (wanted, found) = (account.clone(), caller.account);
                return Err(Error::WrongAccount { environment, wanted, found });
            }
            if let Some(found) = self.cloud.identity.region().filter(|found| found != region) {
                let (wanted, found) = (region.clone(), found.to_owned());
                return Err(Error::WrongRegion { environment, wanted, found });
            }
        }
        Ok(caller)
    }

    /// Runs one stage and emits its beginning and end.
    pub(crate) async fn stage<T, E: std::fmt::Display>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.emitter.stage(name.to_owned(), work).await
    }

    pub(crate) fn progress(&self, line: impl Into<String>) {
        self.emitter.emit(Event::StageProgress { line: line.into(), detail: false });
    }
}
