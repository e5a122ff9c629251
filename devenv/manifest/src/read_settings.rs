//! Reads `devenv.toml` and runs the checks that need no other file.

use std::ops::Range;
use std::sync::Arc;

use camino::Utf8Component::{CurDir, Normal};
use camino::Utf8Path;
use devenv_model::manifest::EmulatorKind;
use devenv_model::names::is_name;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::promotion;
use crate::settings::{Content, ProcessSection, ServiceSettings, Settings};
use devenv_document::closest::closest;
use devenv_document::decode::too_large;
use devenv_document::problem::Mistakes;
use devenv_document::problem::PROBLEM_LIMIT;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;

/// The only supported version of the file format.
const VERSION: i64 = 1;

impl Settings {
    /// Reads `devenv.toml`. [`crate::assemble::assemble`] runs the checks across files.
    ///
    /// # Errors
    ///
    /// All mistakes: every unknown key and every invalid value.
    pub fn parse(file: SourceFile) -> Result<Self, Mistakes> {
        let file = Arc::new(file);
        if let Some(problem) = too_large(&file) {
            return Err(problem.into());
        }
        let mut problems = Vec::new();
        let Some(content) = content(&file, &mut problems) else {
            return Err(Mistakes::new(problems));
        };
        let settings = Self { file, content };
        let misspelt = !problems.is_empty();
        settings.check(&mut problems);
        if misspelt {
            // A key that seems missing may be the misspelt one.
            problems.retain(|problem| problem.code != "manifest.process");
        }
        if problems.is_empty() { Ok(settings) } else { Err(Mistakes::new(problems)) }
    }

    /// The error for an unreadable file or folder that `devenv.toml` names, at the place of its name.
    ///
    /// ```
    /// # use devenv_manifest::settings::Settings;
    /// # use devenv_document::source::SourceFile;
    /// # let text = "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\n".to_owned();
    /// let settings = Settings::parse(SourceFile { path: "devenv.toml".into(), text }).expect("no mistake");
    /// let error = settings.unreadable("compose.yaml".into(), "no such file");
    /// assert_eq!(error.to_string(), "devenv.toml:3:11: cannot read compose.yaml: no such file");
    /// ```
    pub fn unreadable(&self, path: &Utf8Path, reason: &str) -> Mistakes {
        let span = self.paths().find(|named| path.starts_with(named.get_ref())).map(Spanned::span);
        let message = format!("cannot read {path}: {reason}");
        self.problem("manifest.unreadable", span.unwrap_or_default(), message)
            .help("paths are relative to devenv.toml")
            .into()
    }

    fn check(&self, problems: &mut Vec<Problem>) {
        let content = &self.content;
        if *content.version.get_ref() != VERSION {
            let message =
                format!("version {} is not supported; this devenv reads version {VERSION}", content.version.get_ref());
            problems.push(self.problem("manifest.version", content.version.span(), message).help("write version = 1"));
        }
        if !is_name(content.name.get_ref()) {
            problems.push(
                self.problem("manifest.name", content.name.span(), "this is not a valid project name")
                    .help("use lower-case letters, digits and inner hyphens, 40 at most"),
            );
        }
        for path in self.paths() {
            if path.get_ref().as_str().is_empty() || path.get_ref().is_absolute() {
                problems.push(
                    self.problem("manifest.path", path.span(), "expected a path relative to devenv.toml")
                        .help("an absolute path works on one machine only"),
                );
            }
        }
        self.check_emulators(problems);
        if let Some(test) = &content.test {
            self.check_command(&test.command, problems);
            self.check_reports(test.junit.as_ref(), problems);
        }
        for service in content.services.values() {
            self.check_service(service, problems);
        }
        if let Some(smoke) = content.test.as_ref().and_then(|test| test.smoke.as_ref()) {
            self.check_command(smoke, problems);
        }
        promotion::check(self, problems);
    }

    fn check_reports(&self, junit: Option<&Spanned<String>>, problems: &mut Vec<Problem>) {
        let Some(junit) = junit else { return };
        let path = Utf8Path::new(junit.get_ref());
        if junit.get_ref().is_empty() || path.components().any(|part| !matches!(part, Normal(_) | CurDir)) {
            problems.push(
                self.problem("manifest.junit", junit.span(), "expected a pattern below the folder of devenv.toml")
                    .help("such as junit = \"reports/*.xml\""),
            );
        }
    }

    fn check_emulators(&self, problems: &mut Vec<Problem>) {
        let emulator = self.emulator();
        if let Some(embedded) = &emulator.embedded {
            match (&embedded.get_ref().package, &embedded.get_ref().image) {
                (Some(package), None) => self.check_package(package, problems),
                (None, Some(_)) => {}
                (Some(_), Some(image)) => problems.push(
                    self.problem("manifest.embedded", image.span(), "package and image exclude each other")
                        .help("keep `package` to build the emulator here, or `image` to pull it"),
                ),
                (None, None) => problems.push(
                    self.problem("manifest.embedded", embedded.span(), "neither package nor image is given")
                        .help("name an image that contains devenv-emulator: image = \"...\""),
                ),
            }
        }
        let promoted = self.content.promote.values().flat_map(|target| &target.emulators);
        for kind in emulator.default.iter().chain(promoted) {
            let (name, image) = match kind.get_ref() {
                EmulatorKind::Embedded => continue,
                EmulatorKind::DynamodbLocal => ("dynamodb-local", &emulator.dynamodb_local),
                EmulatorKind::Localstack => ("localstack", &emulator.localstack),
            };
            if image.is_none() {
                let message = format!("no image is set for {name}");
                let help = format!("add [emulator.{name}] with image = \"...\"");
                problems.push(self.problem("manifest.image", kind.span(), message).help(help));
            }
        }
    }

    fn check_service(&self, service: &ServiceSettings, problems: &mut Vec<Problem>) {
        if let Some(path) = service.health.as_ref().map(crate::settings::HealthSetting::path)
            && !path.get_ref().starts_with('/')
        {
            problems.push(
                self.problem("manifest.health", path.span(), "the path does not begin with /")
                    .help("write a path such as \"/health\""),
            );
        }
        let Some(process) = &service.process else {
            return;
        };
        match (&process.get_ref().package, &process.get_ref().command) {
            (Some(_), Some(command)) => problems.push(
                self.problem("manifest.process", command.span(), "package and command exclude each other")
                    .help("keep the one that starts the service"),
            ),
            (None, None) => {
                problems.push(
                    self.problem("manifest.process", process.span(), "neither package nor command is given")
                        .help("name the Cargo package to run: package = \"...\""),
                );
            }
            (Some(package), None) => self.check_package(package, problems),
            (None, Some(command)) => self.check_command(command, problems),
        }
        self.check_files(process.get_ref(), problems);
        for (name, value) in &process.get_ref().env {
            if name.is_empty() || name.contains(['=', '\0']) || value.get_ref().contains('\0') {
                problems.push(
                    self.problem("manifest.env", value.span(), "this is not a valid environment variable")
                        .help("a name has no `=` and is not empty; neither name nor value contains a zero byte"),
                );
            }
        }
    }

    /// Checks what belongs to a `command`: `build`, `inputs` and `workdir`.
    fn check_files(&self, process: &ProcessSection, problems: &mut Vec<Problem>) {
        let ProcessSection { package, build, inputs, workdir, .. } = process;
        let spans = [
            ("build", build.as_ref().map(Spanned::span)),
            ("inputs", inputs.as_ref().map(Spanned::span)),
            ("workdir", workdir.as_ref().map(Spanned::span)),
        ];
        for (key, span) in spans {
            if let (Some(span), Some(_)) = (span, package) {
                let message = format!("package and {key} exclude each other");
                let help = format!("Cargo knows how to build a package and from what; remove {key}");
                problems.push(self.problem("manifest.process", span, message).help(help));
            }
        }
        if let Some(build) = build {
            self.check_command(build, problems);
        }
        if let Some(workdir) = workdir.as_ref().filter(|folder| folder.get_ref().is_absolute()) {
            let message = "expected a path relative to devenv.toml";
            let problem = self.problem("manifest.path", workdir.span(), message);
            problems.push(problem.help("an absolute path works on one machine only"));
        }
        for pattern in inputs.iter().flat_map(Spanned::get_ref) {
            let text = pattern.get_ref();
            let is_within = !text.is_empty() && !text.starts_with('/') && text.split('/').all(|part| part != "..");
            if !is_within {
                let message = "expected a pattern for files below devenv.toml's folder";
                let problem = self.problem("manifest.inputs", pattern.span(), message);
                problems.push(problem.help("write a pattern such as \"src/**\" or \"package.json\""));
            }
        }
    }

    fn check_package(&self, package: &Spanned<String>, problems: &mut Vec<Problem>) {
        let allowed = |character: char| character.is_alphanumeric() || "_-".contains(character);
        if package.get_ref().is_empty() || !package.get_ref().chars().all(allowed) {
            problems.push(
                self.problem("manifest.package", package.span(), "this is not a Cargo package name")
                    .help("write the `name` from its Cargo.toml"),
            );
        }
    }

    fn check_command(&self, command: &Spanned<Vec<String>>, problems: &mut Vec<Problem>) {
        if command.get_ref().first().is_none_or(String::is_empty) {
            problems.push(
                self.problem("manifest.command", command.span(), "the command is empty")
                    .help("write the program and its arguments: [\"program\", \"argument\"]"),
            );
        }
    }
}

/// Reads the file again without each unknown key, so that one run reports them all.
fn content(file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<Content> {
    let mut root = match DeTable::parse(&file.text) {
        Ok(root) => root,
        Err(error) => {
            problems.push(explained(file, &error));
            return None;
        }
    };
    loop {
        let error = match Content::deserialize(toml::Deserializer::from(root.clone())) {
            Ok(content) => return Some(content),
            Err(error) => error,
        };
        let problem = explained(file, &error);
        let again = problem.code == "manifest.unknown_key"
            && problems.len() < PROBLEM_LIMIT
            && remove(root.get_mut(), &problem.span);
        problems.push(problem);
        if !again {
            return None;
        }
    }
}

/// Removes the key at `span`, at any depth.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let key = table.keys().find(|key| key.span() == *span).cloned();
    key.is_some_and(|key| table.remove(&key).is_some())
        || table.iter_mut().any(|(_, value)| match value.get_mut() {
            DeValue::Table(inner) => remove(inner, span),
            _ => false,
        })
}

/// Turns a parser error into a problem. For an unknown key or value, the hint suggests the closest known one.
fn explained(file: &Arc<SourceFile>, error: &toml::de::Error) -> Problem {
    let message = error.message();
    let span = error.span().unwrap_or(0..0);
    if message.starts_with("missing field") {
        // A missing key has no place of its own: mark the start of its section.
        let key = message.split('`').nth(1).unwrap_or_default();
        return Problem::new("manifest.missing_key", file, span.start..span.start, format!("the key {key} is missing"))
            .help(format!("add {key} = ..., see devenv.schema.json"));
    }
    let (code, kind) = match message.split_once('`') {
        Some(("unknown field ", _)) => ("manifest.unknown_key", "unknown key"),
        Some(("unknown variant ", _)) => ("manifest.value", "unknown value"),
        _ if message.starts_with("invalid type") || message.starts_with("invalid value") => {
            return Problem::new("manifest.value", file, span, message);
        }
        _ => return Problem::new("manifest.syntax", file, span, message),
    };
    let unknown = message.split('`').nth(1).unwrap_or_default();
    let known: Vec<&str> = message
        .split_once("expected")
        .map(|(_, list)| list.split('`').skip(1).step_by(2).collect())
        .unwrap_or_default();
    let help = match closest(unknown, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("use one of {}", known.join(", ")),
    };
    Problem::new(code, file, span, format!("{kind} {unknown}")).help(help)
}
