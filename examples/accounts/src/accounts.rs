//! Create, read, replace, verify, list, delete: the repository, a transaction around it, JSON outside.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use chrono::Utc;
use serde::Deserialize;

use crate::failure::Failure;
use crate::models::Account;
use crate::service::Service;

/// An account as a caller describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    full_name: String,
    email: String,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    age: Option<i32>,
}

impl Description {
    fn checked(self) -> Result<Self, Failure> {
        if self.full_name.trim().is_empty() {
            return Err(Failure::Invalid("full_name is empty"));
        }
        if !self.email.contains('@') {
            return Err(Failure::Invalid("email is no address"));
        }
        if self.age.is_some_and(|age| !(0..=150).contains(&age)) {
            return Err(Failure::Invalid("age is no age in years"));
        }
        Ok(self)
    }
}

pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    Json(description): Json<Description>,
) -> Result<(StatusCode, Json<Account>), Failure> {
    let description = description.checked()?;
    let mut account = Account {
        id: 0,
        full_name: description.full_name,
        email: description.email,
        email_verified: description.email_verified,
        age: description.age,
        created_at: Utc::now(),
    };
    let mut transaction = service.pool.begin().await?;
    account.id = service.accounts.insert(&mut transaction, &account).await?;
    service
        .record(
            &mut transaction,
            "account.created",
            Some(account.id),
            account.email.clone(),
        )
        .await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(account)))
}

pub(crate) async fn read(
    State(service): State<Arc<Service>>,
    Path(id): Path<i64>,
) -> Result<Json<Account>, Failure> {
    let mut connection = service.pool.acquire().await?;
    let account = service.accounts.get(&mut connection, id).await?;
    account.map(Json).ok_or(Failure::NoSuchAccount(id))
}

pub(crate) async fn replace(
    State(service): State<Arc<Service>>,
    Path(id): Path<i64>,
    Json(description): Json<Description>,
) -> Result<Json<Account>, Failure> {
    let description = description.checked()?;
    let mut transaction = service.pool.begin().await?;
    let before = service.accounts.get(&mut transaction, id).await?;
    let account = Account {
        full_name: description.full_name,
        email: description.email,
        email_verified: description.email_verified,
        age: description.age,
        ..before.ok_or(Failure::NoSuchAccount(id))?
    };
    if !service.accounts.update(&mut transaction, &account).await? {
        return Err(Failure::NoSuchAccount(id));
    }
    service
        .record(
            &mut transaction,
            "account.replaced",
            Some(id),
            account.email.clone(),
        )
        .await?;
    transaction.commit().await?;
    Ok(Json(account))
}

pub(crate) async fn verify(
    State(service): State<Arc<Service>>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Failure> {
    let mut transaction = service.pool.begin().await?;
    let found = service
        .accounts
        .set_email_verified(&mut transaction, id, true)
        .await?;
    if !found {
        return Err(Failure::NoSuchAccount(id));
    }
    service
        .record(
            &mut transaction,
            "account.verified",
            Some(id),
            String::new(),
        )
        .await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A page: accounts in the order of their ids.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    after: Option<i64>,
    limit: Option<i64>,
}

pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Account>>, Failure> {
    let limit = page.limit.unwrap_or(50);
    if !(1..=500).contains(&limit) {
        return Err(Failure::Invalid("limit is not between 1 and 500"));
    }
    let mut connection = service.pool.acquire().await?;
    let accounts = service
        .accounts
        .list(&mut connection, page.after, limit)
        .await?;
    Ok(Json(accounts))
}

pub(crate) async fn delete(
    State(service): State<Arc<Service>>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Failure> {
    let mut transaction = service.pool.begin().await?;
    if !service.accounts.delete(&mut transaction, id).await? {
        return Err(Failure::NoSuchAccount(id));
    }
    service
        .record(&mut transaction, "account.deleted", Some(id), String::new())
        .await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
