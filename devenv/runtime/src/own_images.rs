/// The name of the embedded emulator's image, if it is built here.
pub const EMULATOR_IMAGE: &str = "devenv-emulator:local";
/// Stands in place of a package for the image that is made of this `devenv`'s own programs. No package has this name.
pub const OWN_EMULATOR: &str = "devenv's own emulator";
/// The same for the image of the function host.
pub const OWN_FUNCTION_HOST: &str = "devenv's own function host";
/// The function host's program, beside `devenv`.
pub const FUNCTION_HOST_PROGRAM: &str = "devenv-functions";
