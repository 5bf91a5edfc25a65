//! What all HTTP faces share: ranges and bodies, client address, security headers, request log.
