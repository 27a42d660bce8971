//! Backfills in small batches, says how far it is, and after some of them waits to be killed:
//! `backfill URL FOLDER BATCHES`. Tests start it, which kill it earlier.

use std::error::Error;
use std::path::PathBuf;

use zdm_runtime::backfill::{self, BackfillOptions};
use zdm_runtime::database::Connection;
use zdm_runtime::migration::Migration;

/// Rows of a batch.
const ROWS: u32 = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let [url, folder, most] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|arguments| format!("three arguments are needed: {arguments:?}"))?;
    let most: u32 = most.parse()?;
    let mut connection = Connection::open(&url).await?;
    let migration = Migration::load(PathBuf::from(folder))?;
    let options = BackfillOptions {
        first_batch: ROWS,
        most_rows: ROWS,
        ..BackfillOptions::of("test", "worker 1")
    };
    let mut batches = 0;
    let mut tell = |progress: &zdm_runtime::progress::Progress| {
        println!("at row {}", progress.rows);
        batches += 1;
        if batches == most {
            loop {
                std::thread::park();
            }
        }
    };
    backfill::run(&mut connection, &migration, &options, &mut tell).await?;
    Ok(())
}
