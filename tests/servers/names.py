"""The names that the certificate is for."""

BARE = "saver.test"
WWW = "www.saver.test"
