//! What the HTTP servers of this machine share: which callers they refuse ([`callers`]), how they read a request's body ([`body`]),
//! and how they end ([`process`]).

pub mod body;
pub mod callers;
pub mod process;
