"""An endpoint that speaks the OpenAI protocol and answers with the quorum's choice. `serving/work.py` is what it does for a request."""
