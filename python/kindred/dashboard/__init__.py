"""The dashboard: pages over the published warehouse, drawn by Streamlit."""
