//! Limits out of a service of feature flags, by the OpenFeature SDK.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use open_feature::{Client, EvaluationContext, EvaluationErrorCode, StructValue, Value};

use crate::flag_source::{Answer, FlagSource, ReaderLimits};
use crate::{MigrationCode, Share};

/// A flag for each migration, `zdm.users_full_name`, of OpenFeature's type *structure*: `at_most` is text such as `25%`, `read_new` and
/// `read_old` are arrays of keys. Targeting rules see the instance's name as the targeting key.
///
/// The SDK tells of no change (0.3), so the flag is evaluated about once a second. One that is not found says nothing.
pub struct OpenFeatureFlags(Client);

impl OpenFeatureFlags {
    /// By this client and its provider.
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl fmt::Debug for OpenFeatureFlags {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = &self.0.metadata().name;
        to.debug_tuple("OpenFeatureFlags").field(client).finish()
    }
}

impl FlagSource for OpenFeatureFlags {
    fn name(&self) -> String {
        "OpenFeature".to_owned()
    }

    fn limits<'a>(&'a self, migration: &'a MigrationCode, instance: &'a str) -> Answer<'a> {
        Box::pin(async move {
            let flag = format!("zdm.{}", migration.name);
            let context = EvaluationContext::default().with_targeting_key(instance);
            let value = self
                .0
                .get_struct_value::<StructValue>(&flag, Some(&context), None);
            match value.await {
                Ok(value) => limits(value.fields)
                    .map(Some)
                    .map_err(|error| format!("the flag `{flag}`: {error}").into()),
                Err(error) if error.code == EvaluationErrorCode::FlagNotFound => Ok(None),
                Err(error) => Err(format!(
                    "the flag `{flag}`: {}{}",
                    error.code,
                    error
                        .message
                        .map(|said| format!(" ({said})"))
                        .unwrap_or_default()
                )
                .into()),
            }
        })
    }
}

fn limits(fields: HashMap<String, Value>) -> Result<ReaderLimits, Box<dyn Error + Send + Sync>> {
    let mut limits = ReaderLimits::default();
    for (name, value) in fields {
        limits = match (name.as_str(), value) {
            ("at_most", Value::String(text)) => {
                let points = Share::percent(&text)
                    .ok_or_else(|| format!("at_most: `{text}` is no share: write 25% or 0.5%"))?;
                limits.at_most(points)
            }
            ("read_new", Value::Array(keys)) => limits.read_new(texts(keys)?),
            ("read_old", Value::Array(keys)) => limits.read_old(texts(keys)?),
            (name, value) => {
                return Err(format!(
                    "it has at_most (text), read_new and read_old (arrays of keys), but not `{name}` = {value:?}"
                )
                .into());
            }
        };
    }
    Ok(limits)
}

fn texts(keys: Vec<Value>) -> Result<Vec<String>, String> {
    let text = |key| match key {
        Value::Int(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text),
        other => Err(format!("{other:?} is no key: write a whole number or text")),
    };
    keys.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use open_feature::provider::{FeatureProvider, ProviderMetadata, ResolutionDetails};
    use open_feature::{EvaluationError, EvaluationResult, OpenFeature};

    use super::*;
    use crate::CodeState;

    const MIGRATION: MigrationCode = MigrationCode {
        id: "0123456789ab",
        name: "full_name",
        state: CodeState::Transition,
    };

    /// Flags in memory; each is for the instance `web-1` alone.
    struct InMemory(ProviderMetadata, HashMap<String, Value>);

    impl InMemory {
        fn found<T>(
            &self,
            flag: &str,
            context: &EvaluationContext,
            read: impl Fn(&Value) -> Option<T>,
        ) -> EvaluationResult<ResolutionDetails<T>> {
            let here = context.targeting_key.as_deref() == Some("web-1");
            let error = |code| EvaluationError {
                code,
                message: Some("in memory".to_owned()),
            };
            let found = self.1.get(flag).filter(|_| here);
            let value = found.ok_or_else(|| error(EvaluationErrorCode::FlagNotFound))?;
            let value = read(value).ok_or_else(|| error(EvaluationErrorCode::TypeMismatch))?;
            Ok(ResolutionDetails::new(value))
        }
    }

    #[async_trait]
    impl FeatureProvider for InMemory {
        fn metadata(&self) -> &ProviderMetadata {
            &self.0
        }

        async fn resolve_bool_value(
            &self,
            flag: &str,
            context: &EvaluationContext,
        ) -> EvaluationResult<ResolutionDetails<bool>> {
            self.found(flag, context, Value::as_bool)
        }

        async fn resolve_int_value(
            &self,
            flag: &str,
            context: &EvaluationContext,
        ) -> EvaluationResult<ResolutionDetails<i64>> {
            self.found(flag, context, Value::as_i64)
        }

        async fn resolve_float_value(
            &self,
            flag: &str,
            context: &EvaluationContext,
        ) -> EvaluationResult<ResolutionDetails<f64>> {
            self.found(flag, context, Value::as_f64)
        }

        async fn resolve_string_value(
            &self,
            flag: &str,
            context: &EvaluationContext,
        ) -> EvaluationResult<ResolutionDetails<String>> {
            self.found(flag, context, |value| value.as_str().map(str::to_owned))
        }

        async fn resolve_struct_value(
            &self,
            flag: &str,
            context: &EvaluationContext,
        ) -> EvaluationResult<ResolutionDetails<StructValue>> {
            self.found(flag, context, |value| value.as_struct().cloned())
        }
    }

    async fn asked(flag: Option<Value>, instance: &str) -> Result<Option<ReaderLimits>, String> {
        let flags = flag.map(|flag| ("zdm.full_name".to_owned(), flag));
        let provider = InMemory(ProviderMetadata::new("memory"), flags.into_iter().collect());
        let mut api = OpenFeature::default();
        api.set_provider(provider).await;
        let source = OpenFeatureFlags::new(api.create_client());
        let answer = source.limits(&MIGRATION, instance).await;
        answer.map_err(|error| error.to_string())
    }

    fn structure(fields: &[(&str, Value)]) -> Value {
        let fields = fields.iter();
        let fields = fields.map(|(name, value)| ((*name).to_owned(), value.clone()));
        Value::Struct(StructValue {
            fields: fields.collect(),
        })
    }

    #[tokio::test]
    async fn a_flag_s_structure_says_who_may_read_new() {
        let flag = structure(&[
            ("at_most", Value::String("0.5%".to_owned())),
            ("read_new", Value::Array(vec![Value::Int(1)])),
            (
                "read_old",
                Value::Array(vec![Value::String("a,b".to_owned())]),
            ),
        ]);
        let limits = ReaderLimits::default().at_most(50).read_new([1]);
        let limits = limits.read_old(["a,b"]);
        assert_eq!(asked(Some(flag.clone()), "web-1").await, Ok(Some(limits)));
        assert_eq!(asked(Some(flag), "web-2").await, Ok(None));
        assert_eq!(asked(None, "web-1").await, Ok(None));
    }

    #[tokio::test]
    async fn what_is_no_limit_is_an_error() {
        let text = |text: &str| Value::String(text.to_owned());
        let of = |name, value| structure(&[(name, value)]);
        for (flag, said) in [
            (Value::Bool(true), "TYPE_MISMATCH (in memory)"),
            (of("at_most", text("25")), "`25` is no share"),
            (of("at_most", Value::Int(25)), "`at_most` = Int(25)"),
            (of("share", text("25%")), "`share` = String"),
            (
                of("read_new", Value::Array(vec![Value::Bool(true)])),
                "is no key",
            ),
        ] {
            let error = asked(Some(flag), "web-1").await.unwrap_err();
            assert!(
                error.contains("zdm.full_name") && error.contains(said),
                "{error}"
            );
        }
    }
}
