/// The name of the embedded emulator's image, if it is built here.
pub const EMULATOR_IMAGE: &str = "devenv-emulator:local";
/// Stands in place of a package for the image that is made of this `devenv`'s own programs. No package has this name.
pub const OWN_EMULATOR: &str = "devenv's own emulator";
