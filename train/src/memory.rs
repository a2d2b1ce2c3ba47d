//! How the C allocator treats the memory that tensors give back.
//!
//! A training step allocates the same few hundred megabytes again and again. glibc returns large blocks
//! to the kernel at once, and every step then pays for new, zeroed pages: 8 % of a step on two cores.

/// Keeps freed memory in the process for the next step. To be called once, before the first tensor.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_freed() {
    /// Bytes that the heap grows by beyond what was asked for.
    const GROWTH: i32 = 64 << 20;
    // SAFETY: mallopt only sets numbers inside the allocator.
    #[allow(unsafe_code)]
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0); // no block has a mapping of its own
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1); // the heap does not shrink
        libc::mallopt(libc::M_TOP_PAD, GROWTH);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed() {}
