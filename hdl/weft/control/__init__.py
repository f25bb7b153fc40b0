"""Control subsystem: registers, instruction fetch, validation, sequencing and error handling."""
