//! Files that people write, as trees in which every value has its place: YAML and JSON, mistakes with their places, and
//! bounded reading from the disk. It knows nothing of any file's content.

pub mod closest;
pub mod decode;
pub mod input;
pub mod json;
pub mod problem;
pub mod source;
pub mod tree;
pub mod yaml;
