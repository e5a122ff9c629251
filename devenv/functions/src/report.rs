//! The lines about an invocation, as Lambda writes them to a function's log.

use std::fmt::Write as _;
use std::time::Duration;

/// What the REPORT line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) id: String,
    pub(crate) duration: Duration,
    pub(crate) memory_megabytes: u32,
    /// Bytes of the unit's processes; `None` if nobody knows.
    pub(crate) used: Option<u64>,
    /// A word for an invocation that failed.
    pub(crate) status: Option<&'static str>,
}

pub(crate) fn start(id: &str) -> String {
    format!("START RequestId: {id} Version: $LATEST")
}

impl Report {
    /// The END line and the REPORT line.
    pub(crate) fn lines(&self) -> [String; 2] {
        let Self { id, duration, memory_megabytes, .. } = self;
        let milliseconds = duration.as_secs_f64() * 1000.0;
        let billed = duration.as_nanos().div_ceil(1_000_000);
        let mut report = format!(
            "REPORT RequestId: {id}\tDuration: {milliseconds:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {memory_megabytes} MB"
        );
        if let Some(bytes) = self.used {
            let _ = write!(report, "\tMax Memory Used: {} MB", bytes.div_ceil(1024 * 1024));
        }
        if let Some(status) = self.status {
            let _ = write!(report, "\tStatus: {status}");
        }
        [format!("END RequestId: {id}"), report]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_form_of_lambda() {
        let report = Report {
            id: "7".to_owned(),
            duration: Duration::from_micros(12_345),
            memory_megabytes: 128,
            used: Some(3_000_000),
            status: None,
        };
        let [end, line] = report.lines();
        assert_eq!(end, "END RequestId: 7");
        let expected = "REPORT RequestId: 7\tDuration: 12.35 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 3 MB";
        assert_eq!(line, expected);
        let failed = Report { used: None, status: Some("timeout"), ..report };
        assert!(failed.lines()[1].ends_with("128 MB\tStatus: timeout"));
    }
}
