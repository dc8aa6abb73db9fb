"""The arq side: what happens after a notification is accepted. Start reading at `tasks.worker`."""
