//! The program of the function; the work is in its library.

use lambda_http::lambda_runtime::Error;
use shared::api::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve::with_provider(resources::handle).await
}
