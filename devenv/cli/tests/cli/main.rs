//! The command as a person meets it: every test starts the real program, in a project of its own.

mod another_user;
mod containers;
mod crashes;
mod environment;
mod folder;
mod mistakes;
mod project;
mod promote_program;
mod promotion;
mod supervisor;
mod terminal;
mod words;
