//! What the disk can do at best.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use anyhow::Result;

/// What is written before each fsync.
const BLOCK: [u8; 512] = [1; 512];
const FSYNCS_FOR: Duration = Duration::from_secs(1);

/// How often a second the disk makes a little more of a file durable.
pub(crate) fn fsyncs_per_second() -> Result<f64> {
    let mut file = tempfile::tempfile()?;
    let began = Instant::now();
    let mut fsyncs = 0;
    while began.elapsed() < FSYNCS_FOR {
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        fsyncs += 1;
    }
    Ok(f64::from(fsyncs) / began.elapsed().as_secs_f64())
}
