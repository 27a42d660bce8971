//! Executes the SQL that it reads, says so, and waits to be killed: `statements URL < SQL`. Tests start and kill it.

use std::error::Error;
use std::io::Read as _;

use zdm_runtime::database::Connection;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("a URL is needed")?;
    let mut sql = String::new();
    std::io::stdin().read_to_string(&mut sql)?;
    let mut connection = Connection::open(&url).await?;
    connection.run_file(&sql).await?;
    println!("executed");
    loop {
        std::thread::park();
    }
}
