//! Consumes in groups; for each group one transaction, its messages confirmed, one acknowledgement.

use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    message::Delivery,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
        ConfirmSelectOptions,
    },
    types::FieldTable,
};
use sqlx::PgPool;
use uuid::Uuid;

use super::setting;
use crate::Fallible;

/// How many messages make a group at most.
const GROUP: usize = 256;
/// How many the broker may have sent ahead: the next group comes in while one is worked on.
const PREFETCH: u16 = 1024;

struct Carrier {
    channel: Channel,
    pool: PgPool,
    exchange: String,
    key: String,
    body: Vec<u8>,
}

/// Carries until the process is killed.
pub(crate) async fn carry() -> Fallible<()> {
    let url = setting("AMQP_URL")?;
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let (queue, options) = (setting("QUEUE")?, BasicConsumeOptions::default());
    let deliveries = channel
        .basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default())
        .await?;
    let carrier = Carrier {
        channel,
        pool: PgPool::connect(&setting("DATABASE_URL")?).await?,
        exchange: setting("EXCHANGE")?,
        key: setting("KEY")?,
        body: vec![b' '; setting("LENGTH")?.parse()?],
    };
    let mut groups = deliveries.ready_chunks(GROUP);
    while let Some(group) = groups.next().await {
        carrier.group(&group.into_iter().collect::<Result<Vec<_>, _>>()?).await?;
    }
    Ok(())
}

impl Carrier {
    async fn group(&self, group: &[Delivery]) -> Fallible<()> {
        let ids = group.iter().map(id).collect::<Fallible<Vec<Uuid>>>()?;
        // One statement by itself is one transaction.
        sqlx::query("INSERT INTO carried SELECT * FROM UNNEST($1::uuid[]) ON CONFLICT DO NOTHING")
            .bind(&ids)
            .execute(&self.pool)
            .await?;
        self.tell(&ids).await?;
        if let Some(last) = group.last() {
            let options = BasicAckOptions { multiple: true };
            self.channel.basic_ack(last.delivery_tag, options).await?;
        }
        Ok(())
    }

    async fn tell(&self, ids: &[Uuid]) -> Fallible<()> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let mut confirms = Vec::with_capacity(ids.len());
        for id in ids {
            let properties = BasicProperties::default()
                .with_delivery_mode(2)
                .with_content_type("application/json".into())
                .with_message_id(id.to_string().into());
            let (exchange, key) = (self.exchange.as_str().into(), self.key.as_str().into());
            let sent = self.channel.basic_publish(exchange, key, options, &self.body, properties);
            confirms.push(sent.await?);
        }
        for confirm in confirms {
            let confirmation = confirm.await?;
            if !confirmation.is_ack() || confirmation.take_message().is_some() {
                return Err("the broker did not take a message".into());
            }
        }
        Ok(())
    }
}

fn id(delivery: &Delivery) -> Fallible<Uuid> {
    let id = delivery.properties.message_id().as_ref().ok_or("a message without an id")?;
    Ok(Uuid::parse_str(id.as_str())?)
}
