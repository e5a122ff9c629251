//! The command line from outside: every test starts the real program in a new project.

mod another_user;
mod commands;
mod config;
mod containers;
mod crashes;
mod environment;
mod exec;
mod files;
mod folder;
mod import;
mod init;
mod lifetimes;
mod machine;
mod messaging;
mod mistakes;
mod project;
mod promote_program;
mod promotion;
mod runtime_directory;
mod served;
mod supervisor;
mod taken_down;
mod terminal;
mod test_runners;
mod versions;
mod words;
