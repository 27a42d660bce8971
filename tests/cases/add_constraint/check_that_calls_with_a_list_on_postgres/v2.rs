use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(check(
    name = "events_kind",
    expr = "jsonb_extract_path_text(body, VARIADIC ARRAY['kind'::text]) <> ''"
))]
pub struct Event {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub body: serde_json::Value,
}
