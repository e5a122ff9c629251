use super::engine::{IMAGE, docker, image_of, labelled, required};
use crate::folder::{DEVENV, Folder, Ran, TABLE};
use crate::taken_down::{Kind, TakenDown};

/// A small project in a new folder: one table, and two services. The services are emulators, because their image exists.
pub(crate) type Project = TakenDown<Containers>;

pub(crate) struct Containers;

impl Kind for Containers {
    const DOWN: &'static [&'static str] = &["down", "--volumes"];
}

fn service(name: &str, more: &str) -> String {
    format!(
        "  {name}:\n    image: {IMAGE}\n    command: [\"--memory\", \"--allow-any-address\", \"--listen\", \"0.0.0.0:8080\"]\n    \
         ports: [\"8080\"]\n    read_only: true\n    cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    \
         mem_limit: 64m\n    pids_limit: 32\n    stop_grace_period: 2s\n{more}"
    )
}

impl Project {
    pub(crate) fn new() -> Self {
        required();
        let project = Self { folder: Folder::new(), kind: Containers };
        let settings = format!(
            "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\nseeds = \"seeds\"\n\
             [emulator.embedded]\nimage = \"{IMAGE}\"\n[services.web]\nhealth = \"/\"\n[services.back]\nhealth = \"/\"\n\
             [test]\ncommand = [\"sh\", \"-c\", \"test -n \\\"$WEB_URL\\\"\"]\n"
        );
        project.write("devenv.toml", &settings);
        let depends = "    depends_on: { back: { condition: service_healthy } }\n";
        project.write("compose.yaml", &format!("services:\n{}{}", service("web", depends), service("back", "")));
        project.write("tables/items.json", TABLE);
        project.write("seeds/items.json", r#"[{ "id": { "S": "a" } }]"#);
        project
    }

    /// Names the image of another emulator, the one in this variable.
    pub(crate) fn offer_emulator(&self, emulator: &str, variable: &str) {
        let image = image_of(variable);
        let section = format!("[emulator.{emulator}]\nimage = \"{image}\"\n[emulator.embedded]");
        self.change("devenv.toml", "[emulator.embedded]", &section);
    }

    /// Moves the project to an engine in another network namespace.
    pub(crate) fn move_to(&mut self, namespace: &str, host: String) {
        self.folder.program = ["nsenter", &format!("--net=/run/netns/{namespace}"), DEVENV].map(str::to_owned).into();
        self.folder.variables.push(("DOCKER_HOST", host));
    }

    pub(crate) fn up(&self) -> Ran {
        self.done(&["up", "-d", "--runtime", "docker", "--output", "plain"])
    }

    /// The name of a unit's container.
    pub(crate) fn container(&self, unit: &str) -> String {
        self.unit(unit)["container"].as_str().unwrap_or_else(|| panic!("{unit} has no container")).to_owned()
    }

    /// The ids of the three containers: another id is another container.
    pub(crate) fn ids(&self) -> [String; 3] {
        ["emulator", "web", "back"].map(|unit| docker(&["inspect", "--format", "{{.Id}}", &self.container(unit)]))
    }

    pub(crate) fn root(&self) -> String {
        self.path().canonicalize().expect("it exists").display().to_string()
    }

    /// Everything of this project in the engine.
    pub(crate) fn things(&self) -> Vec<String> {
        labelled(&self.root())
    }
}
