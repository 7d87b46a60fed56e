"""Failures of one server: each module causes one kind and checks what must hold."""
