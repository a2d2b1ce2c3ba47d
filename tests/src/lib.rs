//! What the end-to-end tests share: where the programs and the data are.
