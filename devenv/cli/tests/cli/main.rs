//! The command line from outside: every test starts the real program in a new project.

mod another_user;
mod commands;
mod config;
mod containers;
mod crashes;
mod environment;
mod folder;
mod lifetimes;
mod mistakes;
mod project;
mod promote_program;
mod promotion;
mod supervisor;
mod terminal;
mod test_runners;
mod words;
