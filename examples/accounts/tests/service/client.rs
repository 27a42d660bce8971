//! A caller of the service: requests go through the real router, answers come back as JSON.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;

/// Speaks to one instance of the service.
pub(crate) struct Client {
    router: Router,
}

impl Client {
    pub(crate) fn of(router: Router) -> Self {
        Self { router }
    }

    /// One request; an empty or textual answer is JSON's string.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.send(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {answer}");
        answer
    }

    pub(crate) async fn status(&self, path: &str) -> StatusCode {
        self.send(Method::GET, path, None).await.0
    }

    /// Creates an account and returns it.
    pub(crate) async fn create(&self, description: &Value) -> Value {
        let (status, answer) = self
            .send(Method::POST, "/accounts", Some(description))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer
    }

    /// Replaces an account and returns it.
    pub(crate) async fn replace(&self, id: i64, description: &Value) -> Value {
        let path = format!("/accounts/{id}");
        let (status, answer) = self.send(Method::PUT, &path, Some(description)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    pub(crate) async fn delete(&self, id: i64) {
        let path = format!("/accounts/{id}");
        let (status, answer) = self.send(Method::DELETE, &path, None).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    }
}
