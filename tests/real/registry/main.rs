//! `registry URL SHARE SHARES SEED`: publishes, replaces, yanks, reads and deletes versions of its share of the crates.
//!
//! Prints `round N` after every hundred operations. When its standard input ends it stops and prints how many statements
//! failed, how many reads were wrong, how long the slowest operation took in milliseconds, then a line per version that
//! it wrote: id and digest, or id and `-` if deleted.

mod digest;
mod models;
mod zdm;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use zdm_runtime::Zdm;

use crate::models::Version;
use crate::zdm::versions::Versions;

/// What one process does and knows.
struct Writer {
    pool: PgPool,
    versions: Versions,
    crate_ids: Vec<i32>,
    /// The last acknowledged digest of every version that this process has read or written.
    known: BTreeMap<i32, Vec<u8>>,
    /// Those of them that this process wrote, `None` for deleted ones.
    written: BTreeMap<i32, Option<Vec<u8>>>,
    /// What this process published: the default version of a crate, which must not go, is not among it.
    deletable: Vec<i32>,
    random: u64,
    published: u64,
    wrong_reads: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, share, shares, seed] = arguments.as_slice() else {
        return Err("registry URL SHARE SHARES SEED".into());
    };
    let pool = PgPool::connect(url).await?;
    let handle = Zdm::connect(pool.clone(), &crate::zdm::CODE).await?;
    handle.ready()?;
    let mut writer = Writer::new(
        pool,
        &handle,
        share.parse()?,
        shares.parse()?,
        seed.parse()?,
    )
    .await?;

    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    std::thread::spawn(move || {
        let ended = std::io::stdin().read_to_end(&mut Vec::new());
        asked.store(true, Ordering::Release);
        ended
    });

    let (mut failed, mut round, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    while !stop.load(Ordering::Acquire) {
        for _ in 0..100 {
            let began = Instant::now();
            if let Err(error) = writer.act().await {
                failed += 1;
                if failed <= 5 {
                    eprintln!("a statement failed: {error}");
                }
            }
            slowest = slowest.max(began.elapsed());
        }
        round += 1;
        println!("round {round}");
    }
    handle.close().await?;
    println!("operations {}", 100 * round);
    println!("failed {failed}");
    println!("slowest {}", slowest.as_millis());
    println!("wrong_reads {}", writer.wrong_reads);
    for (id, digest) in &writer.written {
        let digits = digest.as_ref().map_or_else(
            || "-".to_owned(),
            |digest| digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        );
        println!("version {id} {digits}");
    }
    Ok(())
}

impl Writer {
    async fn new(
        pool: PgPool,
        handle: &Zdm,
        share: i32,
        shares: i32,
        seed: u64,
    ) -> Result<Self, Box<dyn Error>> {
        let crate_ids = sqlx::query_scalar("SELECT id FROM crates WHERE id % $2 = $1 ORDER BY id")
            .bind(share)
            .bind(shares)
            .fetch_all(&pool)
            .await?;
        let mut writer = Self {
            versions: Versions::new(handle)?,
            pool,
            crate_ids,
            known: BTreeMap::new(),
            written: BTreeMap::new(),
            deletable: Vec::new(),
            random: seed,
            published: 0,
            wrong_reads: 0,
        };
        writer.adopt(share, shares).await?;
        Ok(writer)
    }

    /// Takes note of some versions that are there already.
    async fn adopt(&mut self, share: i32, shares: i32) -> Result<(), Box<dyn Error>> {
        let ids: Vec<i32> = sqlx::query_scalar(
            "SELECT id FROM versions WHERE crate_id % $2 = $1 ORDER BY md5(id::text) LIMIT 500",
        )
        .bind(share)
        .bind(shares)
        .fetch_all(&self.pool)
        .await?;
        let mut connection = self.pool.acquire().await?;
        for version in self.versions.get_many(&mut connection, &ids).await? {
            self.known.insert(version.id, digest::of(&version));
        }
        Ok(())
    }

    async fn act(&mut self) -> Result<(), Box<dyn Error>> {
        match self.draw(10) {
            0 | 1 => self.publish().await,
            2 => self.replace().await,
            3 => self.set().await,
            4 => self.yank().await,
            5 => self.delete().await,
            _ => self.read().await,
        }
    }

    async fn publish(&mut self) -> Result<(), Box<dyn Error>> {
        let digest = self.new_digest();
        let at = self.draw(self.crate_ids.len());
        self.published += 1;
        // No two processes share a crate, and a seed is used once, so that the number is new.
        let num = format!("{}.{}.0", self.random % 1_000_000_007, self.published);
        let mut version = Version {
            id: 0,
            crate_id: self.crate_ids[at],
            num_no_build: num.clone(),
            num,
            yanked: false,
            yank_message: None,
            crate_size: 4096,
            ..Version::default()
        };
        digest::put(&mut version, &digest);
        let mut transaction = self.pool.begin().await?;
        let id = self.versions.insert(&mut transaction, &version).await?;
        transaction.commit().await?;
        self.keep(id, Some(digest));
        self.deletable.push(id);
        Ok(())
    }

    /// Loads a version, gives it a new digest and saves all of it.
    async fn replace(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(id) = self.choose() else {
            return Ok(());
        };
        let digest = self.new_digest();
        let mut transaction = self.pool.begin().await?;
        let Some(mut version) = self.versions.get(&mut transaction, id).await? else {
            return Err(format!("version {id} is lost").into());
        };
        self.compare(&version);
        digest::put(&mut version, &digest);
        if !self.versions.update(&mut transaction, &version).await? {
            return Err(format!("version {id} was not found by its update").into());
        }
        transaction.commit().await?;
        self.keep(id, Some(digest));
        Ok(())
    }

    async fn set(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(id) = self.choose() else {
            return Ok(());
        };
        let digest = self.new_digest();
        let mut connection = self.pool.acquire().await?;
        if !digest::set(&self.versions, &mut connection, id, &digest).await? {
            return Err(format!("version {id} was not found by its setter").into());
        }
        self.keep(id, Some(digest));
        Ok(())
    }

    /// A change that does not concern the digest.
    async fn yank(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(id) = self.choose() else {
            return Ok(());
        };
        let mut connection = self.pool.acquire().await?;
        let yanked = self.draw(2) == 0;
        if !self
            .versions
            .set_yanked(&mut connection, id, yanked)
            .await?
        {
            return Err(format!("version {id} was not found to be yanked").into());
        }
        Ok(())
    }

    async fn delete(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(id) = self.deletable.pop() else {
            return Ok(());
        };
        let mut connection = self.pool.acquire().await?;
        if !self.versions.delete(&mut connection, id).await? {
            return Err(format!("version {id} was not found to be deleted").into());
        }
        self.keep(id, None);
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(id) = self.choose() else {
            return Ok(());
        };
        let mut connection = self.pool.acquire().await?;
        match self.versions.get(&mut connection, id).await? {
            Some(version) => self.compare(&version),
            None => self.wrong_reads += 1,
        }
        Ok(())
    }

    fn compare(&mut self, version: &Version) {
        if self.known.get(&version.id) != Some(&digest::of(version)) {
            self.wrong_reads += 1;
            eprintln!(
                "version {} was read with another digest than was written",
                version.id
            );
        }
    }

    fn keep(&mut self, id: i32, digest: Option<Vec<u8>>) {
        match &digest {
            Some(digest) => self.known.insert(id, digest.clone()),
            None => self.known.remove(&id),
        };
        self.written.insert(id, digest);
    }

    fn choose(&mut self) -> Option<i32> {
        let at = self.draw(self.known.len().max(1));
        self.known.keys().nth(at).copied()
    }

    fn new_digest(&mut self) -> Vec<u8> {
        (0..4).flat_map(|_| self.next().to_be_bytes()).collect()
    }

    fn draw(&mut self, below: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or_default() % below.max(1)
    }

    /// Splitmix64: the same seed gives the same operations.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
