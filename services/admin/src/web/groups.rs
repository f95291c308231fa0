//! What is stuck, by cause.

use maud::{Markup, html};

use super::{Problem, layout::View, show::age, words};
use crate::verdict::verdict;

/// The page.
pub(super) async fn page(view: View) -> Result<Markup, Problem> {
    let groups = view.admin.store.groups().await?;
    let language = view.language;
    let body = html! {
        h1 { (view.t("Что стоит и почему", "What is stuck, and why")) }
        @if groups.is_empty() {
            section.card { p { (view.t("Ничего не стоит. Всё, что пришло, выполнено или выполняется.", "Nothing is stuck. All that came is done or under way.")) } }
        }
        @for group in &groups {
            section.card.group {
                h2 {
                    span.count { (group.open) } " "
                    (words::service(language, group.worker.as_deref().unwrap_or("unrouted"))) ": " (words::class(language, &group.class))
                }
                p { (view.t(&group.pattern_ru, &group.pattern_en)) }
                p.quiet {
                    (words::advice(language, verdict(&group.class, None))) " "
                    (view.t("Самое старое: ", "Oldest: ")) (age(language, group.oldest)) ". " code { (group.code) }
                }
                p {
                    a.button href={"/letters?state=open&group=" (group.id)} { (view.t("Посмотреть", "Look")) } " "
                    a.button href={"/letters/replay?state=open&group=" (group.id)} { (view.t("Повторить все…", "Replay all…")) }
                }
            }
        }
    };
    Ok(view.page("/groups", view.t("Причины", "Causes"), &body))
}
