//! The command line from outside: every test starts the real program in a new project.

mod another_user;
mod config;
mod containers;
mod crashes;
mod environment;
mod exec;
mod files;
mod folder;
mod import;
mod init;
mod mistakes;
mod project;
mod promote_program;
mod promotion;
mod supervisor;
mod terminal;
mod words;
