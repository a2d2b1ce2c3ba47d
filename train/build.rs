//! Tells the linker where libtorch will be at run time, so that the binary needs no environment.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-env-changed=LIBTORCH_LIB");
    let Some(root) = ["LIBTORCH_LIB", "LIBTORCH"].iter().find_map(std::env::var_os) else {
        return;
    };
    // Through the clone's link, not to where it points today: set-up may point it elsewhere later.
    let root = PathBuf::from(root);
    // The second folder is where set-up keeps the CUDA half of libtorch, opened at start if it is there.
    for folder in [root.join("lib"), root.join("../torch/lib")] {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", folder.display());
    }
}
