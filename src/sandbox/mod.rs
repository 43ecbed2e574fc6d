//! A Bitrix24 portal on loopback, with the real server's behaviour.
