"""The domain: everything the app knows, with no Streamlit in it."""

__version__ = "0.4.3"
