//! The kinds of values in a Compose file. One table (`keys.rs`) gives each key its kind; reading, joining and printing a
//! value all follow from it.

/// The keys of a mapping with a fixed set of keys; `x-*` may stand beside them.
pub(crate) type Keys = &'static [(&'static str, Shape)];

#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// An extension, kept as it is written.
    Any,
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A path, resolved against the project's folder.
    Path,
    /// A path or the address of a remote context.
    Context,
    /// Names with contexts.
    Contexts,
    /// True or false; false is the default and is not printed.
    Boolean,
    /// True or false, with a meaning of its own for each: both are printed.
    Switch,
    /// A whole number; zero is the default and is not printed.
    Integer,
    /// A whole number that is printed even if it is zero.
    Count,
    /// A number of devices, or `all`.
    Devices,
    Number,
    /// A size in bytes, with or without a unit.
    Size,
    /// Permission bits.
    Mode,
    Duration,
    /// A list of words, or a line to split into words. A later file's replaces an earlier one's.
    Command,
    /// A list, or a line for a shell. A later file's replaces an earlier one's.
    HealthTest,
    /// A list of texts without duplicates.
    Texts,
    /// The same, or one text alone.
    TextOrTexts,
    /// The same, of paths.
    Paths,
    /// A list in which duplicates may stand.
    List(&'static Shape),
    /// Names with texts, as a mapping or as a list of `NAME=VALUE`.
    Pairs(Missing),
    /// Host names with addresses.
    Hosts,
    /// A mapping with these keys.
    Object(Keys),
    /// The same; a list or a text is read as if this key had it.
    Shorthand(&'static str, Keys),
    /// A mapping from free names to values of one kind; the value may be absent.
    Named(&'static Shape),
    /// The same, or a list of names.
    NamesOrNamed(&'static Shape),
    /// The services that a service needs.
    Dependencies(Keys),
    /// A log driver: options join only with those of the same driver.
    Logging(Keys),
    /// Soft and hard limit, or one number for both.
    Ulimit,
    Ports,
    Volumes,
    /// The devices of a container.
    DeviceMappings,
    /// Secrets or configs in a container, with the folder where they are found by default.
    Mounts(Option<&'static str>),
    EnvFiles,
    Gpus,
    /// Whether something exists outside of the project, or its name there.
    External,
}

/// The meaning of a name without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The caller's variable.
    Inherited,
    /// The empty text.
    Empty,
}
