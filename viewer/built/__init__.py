"""The viewer's page, built from ``viewer/src``: index.html, app.js and app.css. ``npm run build`` writes them anew."""
