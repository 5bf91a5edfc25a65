//! This installation's id for life: what LAN devices know the server by.

use crate::{Result, catalog::Catalog};

impl Catalog {
    /// A random UUID, made at the first call and the same ever after.
    pub async fn server_id(&self) -> Result<String> {
        let fresh = random_uuid();
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into meta (key, value) values ('server_id', ?)
               on conflict (key) do update set value = value returning value as "value!""#,
            fresh
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(id)
    }
}

/// Version 4, as RFC 9562 writes it.
fn random_uuid() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
