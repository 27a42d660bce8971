//! One table's flags, as its repository holds them.

use std::fmt::Display;

use crate::served::Served;
use crate::{ControlConnection, Error, Flags, Zdm, table_state};

/// The present flags of a table, and the way to ask for newer ones. Cheap to clone; keeps the handle alive.
#[derive(Debug, Clone)]
pub struct TableFlags {
    zdm: Zdm,
    at: usize,
}

impl TableFlags {
    /// The flags of a table of the code that `zdm` was connected with.
    pub fn of(zdm: &Zdm, table: &'static str) -> Result<Self, Error> {
        let at = zdm
            .tables()
            .iter()
            .position(|served| served.code.table == table)
            .ok_or_else(|| Error::UnknownTable {
                table: table.to_owned(),
            })?;
        Ok(Self {
            zdm: zdm.clone(),
            at,
        })
    }

    /// The newest flags that this process knows: one atomic load.
    #[inline]
    pub fn current(&self) -> Flags {
        self.served().flags.load()
    }

    /// Which side this key's reads take: old or new by its stage, at `live` by its share, within what the sources of flags of this
    /// instance say. The same key gets the same answer while the share does not fall.
    #[inline]
    pub fn reads_new(&self, flags: Flags, salt: &str, key: &dyn Display) -> bool {
        self.served().reads_new(flags, salt, key)
    }

    /// Which side reads of a table take in which nothing tells rows apart: there is no key to share them by, so new once all read new.
    #[inline]
    pub fn reads_all_new(&self, flags: Flags) -> bool {
        self.served().limited(flags).reads_all_new()
    }

    /// Asks the control tables on the caller's own connection, inside its transaction and snapshot: one query.
    ///
    /// A snapshot from before the last hop gives an older answer, which is the right one for that transaction alone; the
    /// others keep the newer.
    pub async fn refresh<C: ControlConnection>(&self, connection: &mut C) -> Result<Flags, Error> {
        let table = self.served();
        table.refreshes.one();
        let loaded = table_state::load(connection, table.code, self.zdm.name()).await?;
        let flags = loaded.flags;
        table.take(loaded);
        Ok(flags)
    }

    /// Reports a row whose sides are not consistent: counted here and in the control tables, where it shuts the gate to `live`.
    pub fn mismatch(&self, key: &dyn Display) {
        self.mismatch_at(self.current(), key);
    }

    /// The same under the flags that the row was read with: where the code follows several migrations, they tell whose sides
    /// were compared.
    pub fn mismatch_at(&self, flags: Flags, key: &dyn Display) {
        self.mismatch_of(flags, key, None);
    }

    /// The same with what the log may show of the old side and the new one.
    pub(crate) fn mismatch_of(&self, flags: Flags, key: &dyn Display, sides: Option<&[String; 2]>) {
        let table = self.served();
        let migration = table.count_mismatch(flags);
        let [old, new] = match sides {
            Some([old, new]) => [Some(old), Some(new)],
            None => [None; 2],
        };
        tracing::warn!(
            table = table.code.table,
            migration = migration.unwrap_or_default(),
            %key,
            old,
            new,
            "old and new side of a row are not consistent"
        );
    }

    #[inline]
    pub(crate) fn served(&self) -> &Served {
        &self.zdm.tables()[self.at]
    }
}
