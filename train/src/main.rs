//! The `train` program: the command line over the library.
fn main() {}
