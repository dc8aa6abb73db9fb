"""Belfry: a self-hosted notification centre. Start reading at `belfry.app`."""
