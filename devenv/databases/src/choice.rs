//! The choice of a server for a database.

use camino::{Utf8Path, Utf8PathBuf};

use crate::remedy::install;
use crate::server::Server;

/// No installed server can serve the database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoServer {
    #[error("PostgreSQL {wanted} is not installed on this machine{}", others(found))]
    Absent { wanted: u16, found: Vec<String> },
    /// Data of one version is unreadable for any other.
    #[error("the data in {data} is of PostgreSQL {wanted}, which is not installed on this machine{}", others(found))]
    OfData { data: Utf8PathBuf, wanted: u16, found: Vec<String> },
}

impl NoServer {
    /// The next command to type.
    pub fn remedy(&self) -> String {
        match self {
            Self::Absent { wanted, .. } => install(*wanted),
            Self::OfData { wanted, .. } => format!("{}; or remove the data: devenv down --volumes", install(*wanted)),
        }
    }
}

fn others(found: &[String]) -> String {
    if found.is_empty() { String::new() } else { format!(" (found: {})", found.join(", ")) }
}

/// Takes the server of the wanted major version, else the next newer one. Existing data at `data` decides alone: `of_data` is the
/// version that wrote it.
pub fn choose<'s>(
    servers: &'s [Server],
    wanted: u16,
    data: &Utf8Path,
    of_data: Option<u16>,
) -> Result<&'s Server, NoServer> {
    let found = || servers.iter().map(|server| server.version.clone()).collect();
    match of_data {
        Some(wanted) => servers.iter().find(|server| server.major == wanted).ok_or_else(|| NoServer::OfData {
            data: data.to_owned(),
            wanted,
            found: found(),
        }),
        None => servers
            .iter()
            .filter(|server| server.major >= wanted)
            .min_by_key(|server| server.major)
            .ok_or_else(|| NoServer::Absent { wanted, found: found() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(versions: &[u16], wanted: u16, of_data: Option<u16>) -> Result<u16, NoServer> {
        let server = |major: &u16| {
            let bin = format!("/usr/lib/postgresql/{major}/bin").into();
            Server { bin, major: *major, version: format!("{major}.1") }
        };
        let servers: Vec<Server> = versions.iter().map(server).collect();
        choose(&servers, wanted, Utf8Path::new("data"), of_data).map(|server| server.major)
    }

    #[test]
    fn the_wanted_version_or_the_next_newer_one_serves() {
        assert_eq!(chosen(&[17, 14, 15], 15, None), Ok(15));
        assert_eq!(chosen(&[14, 18, 17], 15, None), Ok(17));
        let error = chosen(&[13, 14], 15, None).expect_err("they are older");
        assert_eq!(error.to_string(), "PostgreSQL 15 is not installed on this machine (found: 13.1, 14.1)");
        let error = chosen(&[], 15, None).expect_err("there is none");
        assert_eq!(error.to_string(), "PostgreSQL 15 is not installed on this machine");
        assert!(error.remedy().contains("postgresql"), "{}", error.remedy());
    }

    #[test]
    fn only_the_version_that_wrote_the_data_reads_it() {
        assert_eq!(chosen(&[15, 17], 15, Some(17)), Ok(17));
        let error = chosen(&[15], 15, Some(17)).expect_err("it cannot read the data");
        assert!(error.remedy().ends_with("devenv down --volumes"), "{}", error.remedy());
    }
}
