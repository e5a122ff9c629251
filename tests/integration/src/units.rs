use std::process::Stdio;

use tokio::process::Command;

/// A part of the environment that a test may disturb.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    OrderApi,
    OrderProcessor,
    Emulator,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::OrderApi => "order-api",
            Self::OrderProcessor => "order-processor",
            Self::Emulator => "emulator",
        }
    }

    /// SIGKILL; the supervisor starts it again.
    pub async fn kill(self) {
        self.act("kill").await;
    }

    /// In order; it stays stopped.
    pub async fn stop(self) {
        self.act("stop").await;
    }

    /// Returns when it is ready.
    pub async fn start(self) {
        self.act("start").await;
    }

    async fn act(self, action: &str) {
        let program = std::env::var_os("DEVENV_BIN").expect("devenv test sets DEVENV_BIN");
        // Tests run in the folder of their package; the project is two above.
        let project = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let output = Command::new(program)
            .args(["-C", project, "unit", action, self.name(), "--output", "plain"])
            .stdin(Stdio::null())
            .output()
            .await
            .expect("the devenv program starts");
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "devenv unit {action} {}: {words}", self.name());
    }
}
