//! The backfill of columns that move between two tables, killed in the middle and continued by another process.

use crate::database::{of_case, postgres, sqlite};
use crate::golden::fixture;
use crate::killed::killed;

/// Two of three users have an address, all of these with a town.
const BEFORE: &str = "INSERT INTO users (id, name) \
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 900) SELECT n, 'a' FROM numbers; \
    INSERT INTO addresses (user_id, street, town, postal_code) \
    SELECT id, 'street', 'town', CASE WHEN id % 3 = 1 THEN 'postal' END FROM users WHERE id % 3 <> 0";

async fn killed_twice_it_still_ends_right(url: &str) {
    let before = of_case(&fixture("columns"), url, BEFORE).await;
    let moved = "SELECT count(*) FROM users WHERE town IS NOT NULL";
    killed(&fixture("columns"), url, before, moved).await;
}

#[tokio::test]
async fn sqlite_survives_being_killed() {
    let (_folder, url) = sqlite();
    killed_twice_it_still_ends_right(&url).await;
}

#[tokio::test]
async fn postgres_survives_being_killed() {
    let (_server, url) = postgres();
    killed_twice_it_still_ends_right(&url).await;
}
