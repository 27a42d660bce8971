//! Puts generated repositories behind [`Repository`](crate::demo::repository::Repository): every method of the trait is
//! one call of the method of that name which `cargo zdm generate` wrote.
//!
//! Comes in: the modules of the versions. Goes out: `connect`. Must not know: SQL, stages.

/// The versions `v1`, `v2` and `v3` of the application on one kind of database.
macro_rules! application {
    ($kind:ident) => {
        use zdm_runtime::Zdm;
        use zdm_runtime::database::Connection;

        use $crate::demo::error::WorkError;
        use $crate::demo::message::Version;
        use $crate::demo::person::{Person, age_as_text, age_of_text};
        use $crate::demo::repository::{Answer, Repository};

        /// Registers a version's code and builds its repository.
        pub(in $crate::demo) async fn connect(
            version: Version,
            url: &str,
        ) -> Result<(Zdm, Box<dyn Repository>), WorkError> {
            let pool = pool(url).await.map_err(zdm_runtime::Error::from)?;
            let code = match version {
                Version::V1 => &v1::zdm::CODE,
                Version::V2 => &v2::zdm::CODE,
                Version::V3 => &v3::zdm::CODE,
            };
            let zdm = Zdm::connect(pool, code).await?;
            zdm.ready()?;
            let repository: Box<dyn Repository> = match version {
                Version::V1 => {
                    Box::new(v1::zdm::cargo_zdm_demo_users::CargoZdmDemoUsers::new(&zdm)?)
                }
                Version::V2 => {
                    Box::new(v2::zdm::cargo_zdm_demo_users::CargoZdmDemoUsers::new(&zdm)?)
                }
                Version::V3 => {
                    Box::new(v3::zdm::cargo_zdm_demo_users::CargoZdmDemoUsers::new(&zdm)?)
                }
            };
            Ok((zdm, repository))
        }

        #[allow(
            clippy::unnecessary_wraps,
            unreachable_patterns,
            reason = "a build with one driver"
        )]
        fn driver(connection: &mut Connection) -> Result<&mut Driver, WorkError> {
            match connection {
                Connection::$kind(driver) => Ok(driver),
                other => Err(WorkError::Answer(format!(
                    "code for another database was given {}",
                    other.dialect()
                ))),
            }
        }

        impl From<&Person> for v1::models::User {
            fn from(person: &Person) -> Self {
                Self {
                    id: person.id,
                    name: person.name.clone(),
                    age: age_as_text(person.id, person.age),
                    email: person.email.clone(),
                }
            }
        }

        impl From<v1::models::User> for Person {
            fn from(user: v1::models::User) -> Self {
                Self {
                    id: user.id,
                    name: user.name,
                    age: user.age.as_deref().and_then(age_of_text),
                    email: user.email,
                }
            }
        }

        $crate::demo::app::adapter::new_shape!(v2);
        $crate::demo::app::adapter::new_shape!(v3);
        $crate::demo::app::adapter::adapt!(v1, set_name, Option::as_deref);
        $crate::demo::app::adapter::adapt!(v2, set_full_name, Option::clone);
        $crate::demo::app::adapter::adapt!(v3, set_full_name, Option::clone);
    };
}

/// A version whose struct has the columns of a [`Person`](crate::demo::person::Person).
macro_rules! new_shape {
    ($version:ident) => {
        impl From<&Person> for $version::models::User {
            fn from(person: &Person) -> Self {
                Self {
                    id: person.id,
                    full_name: person.name.clone(),
                    age: person.age,
                    email: person.email.clone(),
                }
            }
        }

        impl From<$version::models::User> for Person {
            fn from(user: $version::models::User) -> Self {
                Self {
                    id: user.id,
                    name: user.full_name,
                    age: user.age,
                    email: user.email,
                }
            }
        }
    };
}

/// The repository of a `$version`; `$set_name` is what it calls the setter of the name, `$borrow` how it borrows an age.
macro_rules! adapt {
    ($version:ident, $set_name:ident, $borrow:path) => {
        impl Repository for $version::zdm::cargo_zdm_demo_users::CargoZdmDemoUsers {
            fn insert<'a>(&'a self, on: &'a mut Connection, person: &'a Person) -> Answer<'a, ()> {
                Box::pin(async move { Ok(self.insert(driver(on)?, &person.into()).await?) })
            }

            fn upsert<'a>(&'a self, on: &'a mut Connection, person: &'a Person) -> Answer<'a, ()> {
                Box::pin(async move { Ok(self.upsert(driver(on)?, &person.into()).await?) })
            }

            fn update<'a>(
                &'a self,
                on: &'a mut Connection,
                person: &'a Person,
            ) -> Answer<'a, bool> {
                Box::pin(async move { Ok(self.update(driver(on)?, &person.into()).await?) })
            }

            fn set_name<'a>(
                &'a self,
                on: &'a mut Connection,
                id: i64,
                name: &'a str,
            ) -> Answer<'a, bool> {
                Box::pin(async move { Ok(self.$set_name(driver(on)?, id, name).await?) })
            }

            fn set_age<'a>(
                &'a self,
                on: &'a mut Connection,
                person: &'a Person,
            ) -> Answer<'a, bool> {
                Box::pin(async move {
                    let user = $version::models::User::from(person);
                    let age = $borrow(&user.age);
                    Ok(self.set_age(driver(on)?, user.id, age).await?)
                })
            }

            fn get<'a>(&'a self, on: &'a mut Connection, id: i64) -> Answer<'a, Option<Person>> {
                Box::pin(async move { Ok(self.get(driver(on)?, id).await?.map(Person::from)) })
            }

            fn get_many<'a>(
                &'a self,
                on: &'a mut Connection,
                ids: &'a [i64],
            ) -> Answer<'a, Vec<Person>> {
                Box::pin(async move {
                    let users = self.get_many(driver(on)?, ids).await?;
                    Ok(users.into_iter().map(Person::from).collect())
                })
            }

            fn list<'a>(
                &'a self,
                on: &'a mut Connection,
                after: i64,
                limit: i64,
            ) -> Answer<'a, Vec<Person>> {
                Box::pin(async move {
                    let users = self.list(driver(on)?, Some(after), limit).await?;
                    Ok(users.into_iter().map(Person::from).collect())
                })
            }

            fn delete<'a>(&'a self, on: &'a mut Connection, id: i64) -> Answer<'a, bool> {
                Box::pin(async move { Ok(self.delete(driver(on)?, id).await?) })
            }
        }
    };
}

pub(super) use {adapt, application, new_shape};
