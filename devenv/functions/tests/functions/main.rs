//! The function host over HTTP: programs that speak the Runtime API, callers of the Invoke API, and queues of the embedded emulator.

mod events;
mod host;
mod init;
mod invoking;
mod queues;
mod runtime;
mod streams;
