//! The way by mail.

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use runtime::StartError;
use secrecy::ExposeSecret;

use super::Message;
use crate::config::Config;

/// A mail server with sender and recipients.
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum MailError {
    #[error("the mail cannot be written: {0}")]
    Form(#[from] lettre::error::Error),
    #[error("the mail server: {0}")]
    Server(#[from] lettre::transport::smtp::Error),
}

impl Mail {
    /// The server of the settings, if there is one.
    pub(super) fn open(config: &Config) -> Result<Option<Self>, StartError> {
        let (Some(url), Some(from)) = (&config.admin_notify_mail, &config.admin_notify_mail_from)
        else {
            return Ok(None);
        };
        let wrong = |name: &str| StartError(format!("{name} cannot be read"));
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
            .map_err(|_| wrong("ADMIN_NOTIFY_MAIL"))?
            .build();
        let from = from.parse().map_err(|_| wrong("ADMIN_NOTIFY_MAIL_FROM"))?;
        let to = config.admin_notify_mail_to.iter().map(|address| address.trim().parse());
        let to = to.collect::<Result<_, _>>().map_err(|_| wrong("ADMIN_NOTIFY_MAIL_TO"))?;
        Ok(Some(Self { transport, from, to }))
    }

    /// Sends a mail to all recipients.
    pub(super) async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mut mail = lettre::Message::builder().from(self.from.clone()).subject(&message.title);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let text = format!("{}\n\n{}\n", message.text, message.url);
        let mail = mail.header(ContentType::TEXT_PLAIN).body(text)?;
        self.transport.send(mail).await?;
        Ok(())
    }
}
