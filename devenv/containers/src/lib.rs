//! Units as containers: the interface to a container engine, and the runtime and the images on top of it.

mod archive;
mod build_in_engine;
mod context_tar;
mod exec;
mod files;
mod init;
mod logs;
mod make;
mod own_image;
mod raw_terminal;
mod removal;
mod runtime;
mod saved;
mod spec;
mod tar_file;
mod toolchain;

pub mod container;
pub mod dockerfile_images;
pub mod engine;
pub mod host;
pub mod image_digest;
pub mod images;
pub mod oci;
pub mod rehearsal;
pub mod scope;

#[cfg(test)]
mod layout_tests;
